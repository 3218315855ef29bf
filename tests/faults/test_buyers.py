"""The short run of `python -m tests.faults.buyers`, on a database of each kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.crowd import ROOT
from tests.faults.buyers import SERVER

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_ten_bottles_are_sold_ten_times_to_twenty_buyers_in_processes_of_their_own(kind: str) -> None:
    if kind == "postgresql" and not os.environ.get(SERVER):
        pytest.skip(f"{SERVER} names no PostgreSQL; `make test` starts one")
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.faults.buyers", "--buyers", "20", "--rounds", "4", "--pairs", "2",
            "--database", kind,
        ],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "120 asked, 80 placed" in done.stdout

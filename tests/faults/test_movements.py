"""The short run of `python -m tests.faults.movements`, on a database of each kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.crowd import ROOT
from tests.faults.movements import SERVER


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_is_done_with_bottles_at_random_verify_finds_nothing(kind: str) -> None:
    if kind == "postgresql" and not os.environ.get(SERVER):
        pytest.skip(f"{SERVER} names no PostgreSQL; `make test` starts one")
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.faults.movements", "--count", "1500", "--products", "40", "--database", kind,
        ],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert " 0 broken" in done.stdout
    for act in ("order", "pick", "send", "count", "damage", "carry"):
        assert f"'{act}': " in done.stdout.split("refused")[0], done.stdout[-3000:]

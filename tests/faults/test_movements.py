"""The short run of `python -m tests.faults.movements`, on a database of each kind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.crowd import ROOT
from tests.faults.movements import SERVER, verdict


def test_the_run_fails_for_what_is_broken_and_for_what_took_a_minute_to_be_seen() -> None:
    assert [verdict(0, 59.9), verdict(0, 60.0), verdict(1, 2.0)] == [0, 1, 1]


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

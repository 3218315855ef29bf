"""`counterfoil simulate`: a seed is one story, and the shop survives every death in it."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.crowd import ROOT

pytestmark = pytest.mark.faults
COMMAND = Path(sys.executable).parent / "counterfoil"


def simulated(seed: int, orders: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(COMMAND), "simulate", "--seed", str(seed), "--orders", str(orders)],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip


@cache
def first(seed: int) -> tuple[int, str]:
    done = simulated(seed, 10)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_whenever_the_process_dies_money_stock_and_papers_agree_in_the_end(seed: int) -> None:
    code, said = first(seed)
    assert code == 0, said
    assert re.search(r"of 10 orders in \d+ days", said), said
    assert int(re.search(r"died +(\d+) times", said)[1]) > 0, said  # type: ignore[index]


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    again = simulated(1, 10)
    assert again.stdout == first(1)[1]
    assert re.fullmatch(r"journal [0-9a-f]{64}", again.stdout.splitlines()[-1])
    assert again.stdout.splitlines()[-1] != first(2)[1].splitlines()[-1]


def test_a_number_of_orders_that_is_none_is_refused() -> None:
    done = simulated(1, 0)
    assert (done.returncode, "no number from 1 to 10000" in done.stderr) == (2, True)

"""Some dozens of lives on each database, and a proof that is not content with anything. Two thousand: by command.

.venv/bin/python -m tests.faults.lives --lives 2000 --seed 7 --database postgresql
"""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.crowd import ROOT
from tests.faults.plans import CHEAPER, OPENING, RARE, SKUS, draw
from tests.faults.proof import Facts, prove

LIVES, SECONDS = "24", "17"  # as many as begin in that time: all of them, unless the machine has much else to do
LIMIT = 200  # seconds; a machine of its own needs a quarter of that


def run(command: list[str]) -> tuple[int, str]:
    """Exit code and output. Who takes too long is asked to end, so that nobody whom they started is left running."""
    started = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said, _ = started.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        started.terminate()
        said, _ = started.communicate(timeout=60)
        said += f"\nended after {LIMIT} s"
    return started.returncode, said


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_fails_and_whoever_is_killed_each_order_is_paid_once_and_every_book_agrees(kind: str) -> None:
    if kind == "postgresql" and not os.environ.get("COUNTERFOIL_TEST_PG_URL"):
        pytest.skip("COUNTERFOIL_TEST_PG_URL names no PostgreSQL; `make test` starts one")
    # In half a minute as much must go wrong as otherwise in many.
    trouble = "--people 10 --kill-every 50 --spell 2 --compare-every 8 --era 6"
    command = f"-m tests.faults.lives --lives {LIVES} --seconds {SECONDS} --seed 2611 --database {kind} {trouble}"
    code, said = run(command.split())
    assert code == 0, said
    assert "nothing broken" in said
    # A busy machine lives slowly: less happens in the same time.
    for struck, least in (("lives ", 6), ("kills ", 3), ("faults ", 6)):
        line = next(ln for ln in said.splitlines() if ln.startswith(struck))
        assert int(line.split()[1].rstrip(":")) >= least, f"too little went wrong to prove anything: {line}"


# --- the proof would notice -----------------------------------------------------------------------------------------

TOKEN = "t" * 20


def facts() -> Facts:
    """One order of two bottles, charged once, with a part of it given back, and shipped: all is well."""
    charge = {"key": f"pi-{TOKEN}-1-1", "state": "succeeded", "amount": 6500, "intent": "pi_1", "method": "card"}
    charge = {**charge, "supplement": False}
    refund = {"key": f"refund-{TOKEN}-1", "state": "succeeded", "amount": 500, "id": "re_1", "intent": "pi_1"}
    part = {"number": 1, "money": "charged", "parcel": "shipped", "total": 6500, "charged": 6500, "refunded": 500}
    happened = {"order_placed": 1, "order_approved": 1, "shipments": 1, "refunds_paid": 1, "package_packed": 1}
    order = {
        "number": "CF-1001",
        "token": TOKEN,
        "email": "zoe@example.com",
        "cancelled": False,
        "parts": [{**part, "owed": 0, "charges": [charge], "refunds": [refund]}],
        "shipped": {SKUS[0]: 2},
        "happened": happened,
    }
    intent = {
        "id": "pi_1",
        "status": "succeeded",
        "amount_captured": 6500,
        "amount_refunded": 500,
        "metadata": {"charge": charge["key"]},
    }
    paid = {"id": "re_1", "payment_intent": "pi_1", "amount": 500, "status": "succeeded"}
    subjects = ("We have your order CF-1001", "CF-1001: ships Mon 30 Nov 2026", "CF-1001: your order is on its way",
                "CF-1001: $5.00 is on its way back to you")  # fmt: skip
    shelves = {sku: {"on_hand": OPENING, "reserved": 0, "picked": 0} for sku in (*SKUS, CHEAPER)}
    shelves[RARE] = {"on_hand": 0, "reserved": 0, "picked": 0}
    shelves[SKUS[0]]["on_hand"] -= 2
    return Facts(
        orders=[order],
        shelves=shelves,
        jobs=[],
        intents=[intent],
        refunds=[{**paid, "metadata": {"refund": refund["key"]}}],
        mails=[("zoe@example.com", subject, f"<{n}@shop>") for n, subject in enumerate(subjects)],
        told={"CF-1001": {"placed": True, "charged": True, "shipped": True}},
    )


def _order(known: Facts) -> dict[str, Any]:
    return known.orders[0]


def _twice_there(known: Facts) -> None:
    known.intents.append({**known.intents[0], "id": "pi_2"})


def _other_amount(known: Facts) -> None:
    known.intents[0]["amount_captured"] = 6501


def _nobodys_money(known: Facts) -> None:
    stranger = {
        "id": "pi_9",
        "status": "succeeded",
        "amount_captured": 100,
        "amount_refunded": 0,
        "metadata": {"charge": "pi-xyz-1-1"},
    }
    known.intents.append(stranger)


def _still_asking(known: Facts) -> None:
    _order(known)["parts"][0]["charges"].append(
        {"key": "k", "state": "confirming", "amount": 1, "intent": "pi_3", "method": "card"}
    )


def _refunded_twice(known: Facts) -> None:
    known.refunds.append({**known.refunds[0], "id": "re_2"})


def _refund_not_paid(known: Facts) -> None:
    known.refunds[0]["status"] = "failed"


def _owed(known: Facts) -> None:
    _order(known)["parts"][0]["owed"] = 10


def _cancelled_and_kept(known: Facts) -> None:
    _order(known)["cancelled"] = True


def _shipped_unpaid(known: Facts) -> None:
    known.intents.clear()
    _order(known)["parts"][0]["charges"].clear()


def _mailed_as_two(known: Facts) -> None:
    known.mails.append((*known.mails[0][:2], "<another@shop>"))


def _not_mailed(known: Facts) -> None:
    known.mails.pop()


def _told_otherwise(known: Facts) -> None:
    known.told["CF-1001"]["cancelled"] = True


def _forgotten(known: Facts) -> None:
    known.told["CF-1002"] = {"placed": True}


def _job_left(known: Facts) -> None:
    known.jobs.append(["charging.send", "charging.send:1", "dead", "boom"])


def _bottle_lost(known: Facts) -> None:
    known.shelves[SKUS[1]]["on_hand"] -= 1


def _bottle_kept(known: Facts) -> None:
    known.shelves[SKUS[1]]["reserved"] = 1


BREAKS: dict[str, Callable[[Facts], None]] = {
    "successes for the one charge": _twice_there,
    "captured here": _other_amount,
    "for no order": _nobodys_money,
    "still confirming": _still_asking,
    "at the processor": _refunded_twice,
    "still owed": _owed,
    "was kept": _cancelled_and_kept,
    "shipped for 6500 with 0": _shipped_unpaid,
    "2 mails of the kind": _mailed_as_two,
    "0 mails of the kind": _not_mailed,
    "was told 'cancelled'": _told_otherwise,
    "that we do not know": _forgotten,
    "is dead": _job_left,
    "should lie on the shelf": _bottle_lost,
    "nothing be kept for anybody": _bottle_kept,
}


def test_what_is_in_order_is_found_to_be_so() -> None:
    assert prove(facts()) == []


@pytest.mark.parametrize("words", list(BREAKS))
def test_the_proof_finds_what_is_broken(words: str) -> None:
    known = copy.deepcopy(facts())
    BREAKS[words](known)
    found = prove(known)
    assert any(words in wrong for _, wrong in found), found


def test_the_proof_finds_a_refund_that_the_processor_did_not_pay() -> None:
    known = facts()
    _refund_not_paid(known)
    assert any("at the processor" in wrong for _, wrong in prove(known))


def test_the_same_seed_draws_the_same_life() -> None:
    assert draw(7, 12) == draw(7, 12)
    assert len({draw(7, n).card for n in range(100)}) > 4

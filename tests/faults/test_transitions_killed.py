"""Transitions: whoever wins moves the axis once, and says so; whoever loses or dies leaves nothing."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from counterfoil.core import journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.core.machine import Raced, shift
from counterfoil.core.models import JournalEvent
from counterfoil.records.orders.load import find, note, take
from counterfoil.records.orders.models import Part
from counterfoil.records.orders.models.money import MONEY
from tests.faults.hand import acts, hesitate, say
from tests.faults.storm import Nursery, at_rest, kept_as_told, storm

pytestmark = pytest.mark.faults

# A charge that is begun, lost sight of and withdrawn, for ever.
ROUND = {"unpaid": "begin", "saved": "begin", "charging": "lose_sight", "unknown": "withdraw"}


def place(name: str) -> list[str]:
    """Two orders; their numbers."""
    from tests.support import Api, order_body, product

    api = Api("owner", name)
    product(api, name, stock=1000)
    bodies = [order_body((name, 1), card=None, reference=f"{name}-{n}") for n in range(2)]
    return [str(api.done("/orders", body)["number"]) for body in bodies]


def move(name: str, taken: str, untaken: str) -> None:
    """Move the money of two orders: one as every act does, one by the axis's compare-and-set alone."""
    chance = random.Random(name)
    for act in acts(name):
        try:
            if chance.random() < 0.5:
                _move_under_the_version(taken, act, chance)
            else:
                _move_the_axis_alone(untaken, act, chance)
        except (Refused, Raced):
            say("lost", act)
        else:
            say("done", act)


def _move_under_the_version(number: str, act: str, chance: random.Random) -> None:
    seen = find(number)
    hesitate(chance)
    with writing():
        order = take(number, version=seen.version)
        part = Part.objects.get(order=order)
        moved = shift(MONEY, ROUND[part.money], part, part=1)
        hesitate(chance)
        data = {"act": act, "seen": seen.version}
        note(order, "money_moved", actor=SYSTEM, text="moved", moves=[moved], data=data, advance=False)


def _move_the_axis_alone(number: str, act: str, chance: random.Random) -> None:
    part = Part.objects.get(order__number=number)
    hesitate(chance)
    with writing():
        moved = shift(MONEY, ROUND[part.money], part, part=1)
        hesitate(chance)
        journal.record(
            "money_moved", subject=number, actor=SYSTEM, text="moved", moves=[moved], data={"act": act}, advance=False
        )


def look(_name: str, number: str) -> dict[str, Any]:
    at_rest()
    events = JournalEvent.objects.filter(subject=number, kind="money_moved").order_by("id")
    return {
        "version": find(number).version,
        "money": Part.objects.get(order__number=number).money,
        "events": list(events.values("version", "data", "moves")),
    }


def test_a_transition_has_one_winner_whoever_is_killed(nursery: Nursery) -> None:
    taken, untaken = nursery.ask(place)
    before = nursery.ask(look, taken)["version"]
    hands = storm(nursery, move, move, move, kills=12, seed=1, args=lambda dead: (taken, untaken))
    under_version, alone = nursery.ask(look, taken), nursery.ask(look, untaken)

    events = under_version["events"] + alone["events"]
    cut_short = kept_as_told(hands, [e["data"]["act"] for e in events])
    assert cut_short > 3, "the plug was pulled on people who did nothing"
    assert sum(len(hand.said("lost")) for hand in hands) > 0, "nobody was in anybody's way"
    # The order's version: no number missing, none twice, each won by somebody who had seen the one before.
    versions = [e["version"] for e in under_version["events"]]
    assert versions == list(range(before + 1, under_version["version"] + 1))
    assert all(e["data"]["seen"] == e["version"] - 1 for e in under_version["events"])
    # The axis: each move begins where the one before it ended, and the last ended where the part now stands.
    for found in (under_version, alone):
        moves = [m for e in found["events"] for m in e["moves"]]
        assert len(moves) == len(found["events"]) > 3
        assert moves[0]["from"] == "unpaid"
        assert all(one["to"] == next_one["from"] for one, next_one in pairwise(moves))
        assert moves[-1]["to"] == found["money"]

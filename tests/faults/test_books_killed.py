"""Money as posted: whoever posts at once and dies over it, no cent is lost, doubled or without its other side."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from django.db import IntegrityError

from counterfoil.core.db import rows, writing
from counterfoil.core.money import split, tax_on
from counterfoil.records.books.ledger import post
from counterfoil.records.books.models import Entry
from tests.faults.hand import ChangedTheirMind, acts, hesitate, say
from tests.faults.storm import Nursery, at_rest, kept_as_told, storm

pytestmark = pytest.mark.faults

CURRENCIES = ("USD", "JPY", "KWD")
SHARED = 20  # causes that everybody knows of and wants to post


def amounts_of(cause: str) -> tuple[str, dict[str, int]]:
    """What a cause is worth: its currency, and each account's amount in minor units."""
    chance = random.Random(cause)
    net = chance.randint(1, 10**9)
    tax = tax_on(net, chance.choice([0, 72_500, 85_000]))
    weights = [chance.randint(0, 9) for _ in range(3)]
    shares = dict(zip(("revenue", "shipping_income", "rounding"), split(-net, weights), strict=True))
    owed = dict(zip(("card_clearing", "receivable"), split(net + tax, weights[:2]), strict=True))
    return chance.choice(CURRENCIES), {**owed, **shares, "tax_payable": -tax}


def book(name: str) -> None:
    """Post entries: of this hand's own causes, and of causes that all post at once and one may."""
    chance = random.Random(name)
    for act in acts(name):
        cause = f"shared-{chance.randrange(SHARED)}" if chance.random() < 0.4 else act
        currency, amounts = amounts_of(cause)
        try:
            with writing():
                hesitate(chance)
                post(cause=cause, kind="fire", subject="FIRE", text=act, currency=currency, amounts=amounts)
                hesitate(chance)
                if chance.random() < 0.25:
                    raise ChangedTheirMind
        except (IntegrityError, ChangedTheirMind) as why:
            say(type(why).__name__)
            say("lost", act)
        else:
            say("done", act)


def look(_name: str) -> dict[str, Any]:
    at_rest()
    entries = Entry.objects.filter(kind="fire").order_by("id").prefetch_related("postings")
    return {
        "entries": [[e.cause, e.text, [[p.account, p.amount, p.currency] for p in e.postings.all()]] for e in entries],
        "sums": [
            [account, currency, int(amount)]
            for account, currency, amount in rows(
                "SELECT p.account, p.currency, SUM(p.amount) FROM books_posting p JOIN books_entry e "
                "ON e.id = p.entry_id WHERE e.kind = 'fire' GROUP BY p.account, p.currency"
            )
        ],
        "orphans": rows("SELECT COUNT(*) FROM books_posting WHERE entry_id NOT IN (SELECT id FROM books_entry)")[0][0],
    }


def test_what_is_posted_at_once_adds_up_to_the_cent(nursery: Nursery) -> None:
    hands = storm(nursery, book, book, book, kills=12, seed=7)
    found = nursery.ask(look)

    cut_short = kept_as_told(hands, [act for _, act, _ in found["entries"]])
    assert cut_short > 3, "the plug was pulled on people who did nothing"
    said = Counter(line for hand in hands for line in hand.said())
    assert said["IntegrityError"] > 0
    assert said["ChangedTheirMind"] > 0
    # One entry for a cause, and of it every posting that it calls for and no other.
    causes = [cause for cause, _, _ in found["entries"]]
    assert len(causes) == len(set(causes))
    expected: Counter[tuple[str, str]] = Counter()
    for cause, _, postings in found["entries"]:
        currency, amounts = amounts_of(cause)
        lines = {account: amount for account, amount in amounts.items() if amount}
        assert sorted(postings) == sorted([account, amount, currency] for account, amount in lines.items()), cause
        assert sum(amount for _, amount, _ in postings) == 0
        expected.update({(account, currency): amount for account, amount in lines.items()})
    # The accounts hold the sum of what happened; in each currency debits are credits.
    assert {(account, currency): amount for account, currency, amount in found["sums"]} == dict(expected)
    for currency in CURRENCIES:
        assert sum(amount for _, held, amount in found["sums"] if held == currency) == 0
    assert found["orphans"] == 0

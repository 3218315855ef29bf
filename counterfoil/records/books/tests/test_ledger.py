"""Entries balance, stand in the transaction of their act, and are made once for a cause."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.db import IntegrityError
from django.db.models import Sum

from counterfoil.core.db import writing
from counterfoil.core.money import split
from counterfoil.records.books.ledger import post
from counterfoil.records.books.models import Entry, Posting
from tests.crowd import together

SALE = {"receivable": 1100, "revenue": -1000, "tax_payable": -100}


def posted(cause: str = "sale:1", amounts: Mapping[str, int] = SALE, currency: str = "USD") -> None:
    with writing():
        post(cause=cause, kind="sale", subject="CF-1", text="Sale", currency=currency, amounts=amounts)


@pytest.mark.django_db
def test_an_entry_has_a_posting_for_each_account_that_moves() -> None:
    posted(amounts={**SALE, "rounding": 0})
    assert dict(Posting.objects.values_list("account", "amount")) == SALE
    assert set(Posting.objects.values_list("currency", flat=True)) == {"USD"}


@pytest.mark.django_db
def test_what_does_not_balance_or_has_no_account_is_not_posted() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        posted(amounts={"receivable": 1100, "revenue": -1000})
    with pytest.raises(ValueError, match="no such account"):
        posted(amounts={"receivable": 1, "petty_cash": -1})
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_nothing_is_posted_beside_an_act_or_for_nothing() -> None:
    with pytest.raises(RuntimeError):
        post(cause="sale:1", kind="sale", subject="CF-1", text="Sale", currency="USD", amounts=SALE)
    posted(amounts={"receivable": 0, "revenue": 0})
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_many_who_post_one_cause_one_does_and_other_causes_go_on() -> None:
    def act(n: int) -> None:
        cause = "once" if n % 2 else f"own:{n}"
        first, second, third = split(-1000 - n, [1, 1, 1])
        posted(cause, {"receivable": 1000 + n, "revenue": first, "shipping_income": second, "returns": third})

    found = together(16, act)
    refused = [one for one in found if isinstance(one, IntegrityError)]
    assert len(refused) == 7
    assert [one for one in found if one is not None] == refused
    assert sorted(Entry.objects.values_list("cause", flat=True)) == sorted(
        ["once", *(f"own:{n}" for n in range(0, 16, 2))]
    )
    (winner,) = [n for n in range(1, 16, 2) if found[n] is None]
    whole = sum(1000 + n for n in [winner, *range(0, 16, 2)])
    assert Posting.objects.filter(account="receivable").aggregate(all=Sum("amount")) == {"all": whole}
    assert Posting.objects.aggregate(all=Sum("amount")) == {"all": 0}
    assert Posting.objects.count() == 4 * 9

"""Posting to the books."""

from __future__ import annotations

from collections.abc import Mapping

from counterfoil.core import clock
from counterfoil.core.db import in_writing
from counterfoil.records.books.models import ACCOUNTS, Entry, Posting


def post(*, cause: str, kind: str, subject: str, text: str, currency: str, amounts: Mapping[str, int]) -> None:
    """Post one entry, in the transaction of the act it records. Debits are positive; the sum must be zero.

    Raises ValueError for an unknown account or an entry that does not balance. A second entry for the same cause is an
    IntegrityError: the act happened once.
    """
    if not in_writing():
        raise RuntimeError("an entry is posted in the transaction of its act")
    if sum(amounts.values()) != 0:
        raise ValueError(f"{kind} for {subject} does not balance: {dict(amounts)}")
    unknown = set(amounts) - set(ACCOUNTS)
    if unknown:
        raise ValueError(f"no such account: {', '.join(sorted(unknown))}")
    lines = {account: amount for account, amount in amounts.items() if amount}
    if not lines:
        return
    entry = Entry.objects.create(cause=cause, kind=kind, subject=subject, text=text, at=clock.business_now())
    Posting.objects.bulk_create(
        Posting(entry=entry, account=account, amount=amount, currency=currency) for account, amount in lines.items()
    )


def posted(cause: str, account: str) -> int | None:
    """What the entry of a cause has posted to an account, minor units; None where there is no such entry."""
    if not Entry.objects.filter(cause=cause).exists():
        return None
    return sum(Posting.objects.filter(entry__cause=cause, account=account).values_list("amount", flat=True))

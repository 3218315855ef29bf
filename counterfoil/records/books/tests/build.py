"""A few entries of every sort, and texts that would be a command elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from counterfoil.core.db import rows, writing
from counterfoil.records.books.ledger import post
from counterfoil.records.books.models import ACCOUNTS

STRANGE = (
    '=HYPERLINK("http://example.com")', "+1 × PINOT-21; found | behind\nthe door", 'a "quoted" \\ text * ! # ^x',
    "@sum(1)", "-2 × SYRAH-19: broken", "Zoë's 🍷 ; ; {lot} // ^link #tag", "2026-11-24 * a date",
    "a\x01b\x0bc\x7f\x85\u2028\u202edlog\t end",
)  # fmt: skip
_causes = count(1)


def entry(
    amounts: Mapping[str, int], currency: str = "USD", *, text: str = "Charge of CF-1001", subject: str = "CF-1001"
) -> None:
    """One entry of today."""
    with writing():
        post(
            cause=f"test:{next(_causes)}", kind="capture", subject=subject, text=text, currency=currency,
            amounts=amounts,
        )  # fmt: skip


def some_entries() -> None:
    """Every account once, every number of decimals, and all the strange texts."""
    for account in ACCOUNTS:
        if account != "card_clearing":
            entry({"card_clearing": 1847, account: -1847}, text=f"card_clearing against {account}")
    for currency in ("USD", "JPY", "KWD", "EUR"):
        entry({"card_clearing": 12340, "revenue": -10001, "tax_payable": -2339}, currency)
    for text in STRANGE:
        entry({"inventory": 5, "stock_losses": -5}, text=text, subject=text[:40])


def sums() -> dict[tuple[str, str], int]:
    """What stands on each account in each currency, minor units."""
    found = rows("SELECT account, currency, SUM(amount) FROM books_posting GROUP BY account, currency")
    return {(account, currency): int(total) for account, currency, total in found if int(total)}

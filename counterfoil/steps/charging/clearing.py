"""Does clearing agree with the processor? To the cent, in each currency; else each difference has a name."""

from __future__ import annotations

from dataclasses import dataclass, field

from counterfoil.core.db import rows
from counterfoil.core.money import show
from counterfoil.steps.charging.models import Payout


@dataclass(frozen=True)
class Named:
    """One reason why the two differ: what our books have more (less: negative) than the processor, minor units.

    `waits`: nothing is wrong; the processor's side of it has not been read yet, or is still on its way.
    """

    order: str
    text: str
    amount: int
    waits: bool = True


@dataclass(frozen=True)
class Agreement:
    """Card clearing of one currency: what our books hold, and what the processor has of ours and has not paid out."""

    currency: str
    books: int
    processor: int
    named: list[Named] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """The same to the cent, and not because two differences make up for each other."""
        return self.books == self.processor and not self.named

    @property
    def unnamed(self) -> int:
        """What of the difference nobody can explain."""
        difference = self.books - self.processor
        return difference - sum(n.amount for n in self.named) if difference else 0


def agreements() -> list[Agreement]:
    """Every currency that was ever charged by card, as both sides have it now."""
    books = {
        str(currency): int(total)
        for currency, total in rows(
            "SELECT currency, SUM(amount) FROM books_posting WHERE account = 'card_clearing' GROUP BY currency"
        )
    }
    back = _sent_back()
    shares, unpaid = _shares(back)
    named = _named(shares, back)
    return [
        Agreement(currency, books.get(currency, 0), unpaid.get(currency, 0), named.get(currency, []))
        for currency in sorted({*books, *unpaid, *named})
    ]


# A line that counts as ours by itself; what a payout is, and what came back of one, is told by the payout's share.
_OWN = "e.kind <> 'payout_failed' AND (e.kind <> 'other' OR e.booked)"


@dataclass(frozen=True)
class SentBack:
    """The money of a payout that the bank sent back, and the later payout it went out with ('': none yet)."""

    currency: str
    payout: str
    again_in: str


def _sent_back() -> list[SentBack]:
    return [
        SentBack(str(currency), str(payout), str(again_in or ""))
        for currency, payout, again_in in rows(
            "SELECT e.currency, e.source_id, p.payout_id FROM charging_balanceentry e "
            "LEFT JOIN charging_payout p ON p.id = e.payout_id WHERE e.kind = 'payout_failed' ORDER BY p.made_at, p.id"
        )
    ]


def _shares(back: list[SentBack]) -> tuple[dict[str, int], dict[str, int]]:
    """Our share of every payout by the processor's id (see `balance.share_of`), and by currency what it has of ours
    and has not paid out."""
    shares: dict[str, int] = {}
    unpaid: dict[str, int] = {}
    for payout, currency, total in rows(
        "SELECT p.payout_id, e.currency, SUM(e.net) FROM charging_balanceentry e "
        f"LEFT JOIN charging_payout p ON p.id = e.payout_id WHERE {_OWN} GROUP BY p.payout_id, e.currency"
    ):
        kept, key = (unpaid, str(currency)) if payout is None else (shares, str(payout))
        kept[key] = kept.get(key, 0) + int(total)
    for one in back:
        if one.again_in and one.again_in != one.payout:
            shares[one.again_in] = shares.get(one.again_in, 0) + shares.get(one.payout, 0)
    for one in back:
        if not one.again_in:
            unpaid[one.currency] = unpaid.get(one.currency, 0) + shares.get(one.payout, 0)
    return shares, unpaid


def _named(shares: dict[str, int], back: list[SentBack]) -> dict[str, list[Named]]:
    found: dict[str, list[Named]] = {}
    for currency, reason in (*_of_charges(), *_of_refunds(), *_of_strange_refunds(), *_of_payouts(shares, back)):
        if reason.amount:
            found.setdefault(currency, []).append(reason)
    return found


def _of_charges() -> list[tuple[str, Named]]:
    out = []
    for number, currency, ours, theirs in rows(
        "SELECT o.number, c.currency, c.amount, x.amount FROM orders_charge c "
        "JOIN orders_part p ON p.id = c.part_id JOIN orders_order o ON o.id = p.order_id "
        "LEFT JOIN (SELECT charge_id, SUM(amount) AS amount FROM charging_balanceentry WHERE kind = 'charge' "
        "GROUP BY charge_id) x ON x.charge_id = c.id "
        "WHERE c.state = 'succeeded' AND c.method IN ('card', 'link') AND c.amount <> COALESCE(x.amount, 0) "
        "ORDER BY c.id"
    ):
        text = f"{show(ours, currency)} charged; the processor's list does not have it yet"
        if theirs is not None:
            text = f"{show(ours, currency)} charged here, {show(int(theirs), currency)} there"
        out.append((str(currency), Named(str(number), text, int(ours) - int(theirs or 0), theirs is None)))
    return out


_REFUND_LINES = (
    "(SELECT source_id, SUM(amount) AS amount FROM charging_balanceentry WHERE kind IN ('refund', 'refund_failed') "
    "GROUP BY source_id)"
)


def _of_refunds() -> list[tuple[str, Named]]:
    out = []
    for number, currency, amount, state, theirs in rows(
        "SELECT o.number, r.currency, r.amount, r.state, x.amount FROM orders_refund r "
        "JOIN orders_charge c ON c.id = r.charge_id JOIN orders_part p ON p.id = r.part_id "
        f"JOIN orders_order o ON o.id = p.order_id LEFT JOIN {_REFUND_LINES} x ON x.source_id = r.refund_id "
        "WHERE c.method IN ('card', 'link') AND r.refund_id NOT IN ('', 'by hand', 'by dispute') AND "
        "CASE WHEN r.state = 'succeeded' THEN -r.amount ELSE 0 END <> COALESCE(x.amount, 0) ORDER BY r.id"
    ):
        ours = -int(amount) if state == "succeeded" else 0
        said = show(int(amount), currency)
        if theirs is None:
            text, waits = f"{said} refunded; the processor's list does not have it yet", True
        elif state != "succeeded":
            text, waits = f"{said} taken for a refund that is still on its way", True
        else:
            text, waits = f"{said} refunded here, {show(-int(theirs), currency)} there", False
        out.append((str(currency), Named(str(number), text, ours - int(theirs or 0), waits)))
    return out


def _of_strange_refunds() -> list[tuple[str, Named]]:
    """Refunds of our charges that were made at the processor and are not booked here."""
    return [
        (str(currency), Named(str(number), f"refund {source} made there, not booked here", -int(total), False))
        for number, currency, source, total in rows(
            "SELECT o.number, e.currency, e.source_id, SUM(e.amount) FROM charging_balanceentry e "
            "JOIN orders_charge c ON c.id = e.charge_id JOIN orders_part p ON p.id = c.part_id "
            "JOIN orders_order o ON o.id = p.order_id WHERE e.kind IN ('refund', 'refund_failed') AND NOT EXISTS "
            "(SELECT 1 FROM orders_refund r WHERE r.refund_id = e.source_id) "
            "GROUP BY o.number, e.currency, e.source_id HAVING SUM(e.amount) <> 0"
        )
    ]


def _of_payouts(shares: dict[str, int], back: list[SentBack]) -> list[tuple[str, Named]]:
    returned = {one.payout for one in back}
    out = []
    for payout in Payout.objects.order_by("made_at", "pk"):
        share = shares.get(payout.payout_id, 0)
        amount = share - payout.booked - (share if payout.payout_id in returned else 0)
        day = f"payout of {payout.arrives_on}, {payout.payout_id}"
        if payout.status in {"failed", "cancelled"}:
            out.append((payout.currency, Named("", f"{day}: it came back and is not on the list yet", amount)))
        else:
            out.append((payout.currency, Named("", f"{day}: paid, and not in our books", amount, False)))
    return out

"""The books balance, and say what the orders say."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.core.db import rows
from counterfoil.core.shop import shop


def balanced() -> list[str]:
    """Every entry, in every currency."""
    return [
        f"entry {cause} is off by {int(total)} {currency}"
        for cause, currency, total in rows(
            "SELECT e.cause, p.currency, SUM(p.amount) FROM books_posting p JOIN books_entry e ON e.id = p.entry_id "
            "GROUP BY e.cause, p.currency HAVING SUM(p.amount) <> 0"
        )
    ]


_CHECKED = ("card_clearing", "other_clearing", "receivable", "refunds_payable", "customer_deposits", "bank",
            "card_fees", "disputes", "dispute_losses")  # fmt: skip


def accounts() -> list[str]:
    """Clearing holds what was taken and not given back; refunds payable what is owed; deposits what is not shipped."""
    held: dict[tuple[str, str], int] = {
        (account, currency): int(total)
        for account, currency, total in rows(
            "SELECT account, currency, SUM(amount) FROM books_posting GROUP BY account, currency"
        )
    }
    found = []
    wanted: dict[tuple[str, str], int] = {}

    def expect(account: str, sql: str) -> None:
        for currency, total in rows(sql):
            wanted[account, currency] = wanted.get((account, currency), 0) + int(total or 0)

    card = "c.method IN ('card', 'link')"
    for account, method in (("card_clearing", card), ("other_clearing", f"NOT {card}")):
        expect(
            account,
            f"SELECT c.currency, SUM(c.amount) FROM orders_charge c WHERE c.state = 'succeeded' AND {method} "
            "GROUP BY c.currency",
        )
        expect(
            account,
            "SELECT r.currency, -SUM(r.amount) FROM orders_refund r JOIN orders_charge c ON c.id = r.charge_id "
            f"WHERE r.state = 'succeeded' AND {method} GROUP BY r.currency",
        )
    _expect_settlement(expect)
    # A failed card refund that a person paid back otherwise left the other till.
    for account, sign in (("card_clearing", ""), ("other_clearing", "-")):
        expect(
            account,
            f"SELECT r.currency, {sign}SUM(r.amount) FROM orders_refund r JOIN orders_charge c ON c.id = r.charge_id "
            f"WHERE r.state = 'succeeded' AND {card} AND r.refund_id = 'by hand' GROUP BY r.currency",
        )
    expect(
        "receivable",
        "SELECT o.currency, SUM(p.total) FROM orders_part p JOIN orders_order o ON o.id = p.order_id "
        "WHERE p.money = 'receivable' AND p.books = 'invoiced' GROUP BY o.currency",
    )
    expect(
        "refunds_payable",
        "SELECT r.currency, -SUM(r.amount) FROM orders_refund r WHERE r.state <> 'succeeded' GROUP BY r.currency",
    )
    expect(
        "customer_deposits",
        "SELECT o.currency, -SUM(p.charged - p.refunded - p.refund_owed) FROM orders_part p "
        "JOIN orders_order o ON o.id = p.order_id WHERE p.books NOT IN ('invoiced', 'credited') GROUP BY o.currency",
    )
    # Paid beyond what was invoiced, and not decided to go back (the customer's bank has some of it, say).
    expect(
        "customer_deposits",
        "SELECT o.currency, SUM(p.total - p.charged + p.given_back) FROM orders_part p JOIN orders_order o "
        "ON o.id = p.order_id WHERE p.books IN ('invoiced', 'credited') AND p.charged - p.given_back > p.total "
        "GROUP BY o.currency",
    )
    for account in _CHECKED:
        for currency in {c for a, c in [*held, *wanted] if a == account}:
            is_, should = held.get((account, currency), 0), wanted.get((account, currency), 0)
            if is_ != should:
                found.append(f"{account} holds {is_} {currency}, the orders say {should}")
    return found


def _expect_settlement(expect: Callable[[str, str], None]) -> None:
    """Fees, disputed money and payouts, from the processor's lines that were entered in the books."""
    of_lines = "FROM charging_balanceentry e WHERE e.booked AND e.kind"
    own, disputed, other = (
        "('charge', 'refund', 'refund_failed')",
        "('dispute', 'dispute_reversed')",
        "('fee', 'other')",
    )
    expect("card_clearing", f"SELECT e.currency, -SUM(e.fee) {of_lines} IN {own} GROUP BY e.currency")
    expect("card_clearing", f"SELECT e.currency, SUM(e.net) {of_lines} IN {disputed} GROUP BY e.currency")
    expect("card_clearing", f"SELECT e.currency, SUM(e.net) {of_lines} IN {other} GROUP BY e.currency")
    expect("card_fees", f"SELECT e.currency, SUM(e.fee) {of_lines} IN {own} GROUP BY e.currency")
    expect("card_fees", f"SELECT e.currency, SUM(e.fee) {of_lines} IN {disputed} GROUP BY e.currency")
    expect("card_fees", f"SELECT e.currency, -SUM(e.net) {of_lines} IN {other} GROUP BY e.currency")
    expect("disputes", f"SELECT e.currency, -SUM(e.amount) {of_lines} IN {disputed} GROUP BY e.currency")
    expect("bank", "SELECT currency, SUM(booked) FROM charging_payout GROUP BY currency")
    expect("card_clearing", "SELECT currency, -SUM(booked) FROM charging_payout GROUP BY currency")
    expect("disputes", "SELECT currency, -SUM(written_off) FROM charging_dispute GROUP BY currency")
    expect("dispute_losses", "SELECT currency, SUM(written_off) FROM charging_dispute GROUP BY currency")
    # Of a lost dispute, what counts as a refund is no loss; it left the disputed money and not clearing.
    returned = "FROM orders_refund WHERE state = 'succeeded' AND refund_id = 'by dispute' GROUP BY currency"
    expect("dispute_losses", f"SELECT currency, -SUM(amount) {returned}")
    expect("card_clearing", f"SELECT currency, SUM(amount) {returned}")


def goods() -> list[str]:
    """The account of goods in stock, in the shop's currency: what lies in the house, and what has left uninvoiced."""
    currency = shop().currency
    (shelf,) = rows("SELECT COALESCE(SUM(value), 0) FROM stock_place")
    (away,) = rows(
        "SELECT COALESCE(-SUM(m.value), 0) FROM stock_movement m JOIN orders_line l ON l.id = m.line "
        "JOIN orders_part g ON g.id = l.part_id WHERE g.books NOT IN ('invoiced', 'credited')"
    )
    (held,) = rows(
        "SELECT COALESCE(SUM(amount), 0) FROM books_posting WHERE account = 'inventory' AND currency = %s", [currency]
    )
    is_, lies, left = int(held[0]), int(shelf[0]), int(away[0])
    if is_ == lies + left:
        return []
    return [f"inventory holds {is_} {currency}; the shelf is worth {lies}, what has left without an invoice {left}"]

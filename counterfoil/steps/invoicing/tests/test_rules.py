"""When a sales order becomes an invoice, and what it is met with."""

from __future__ import annotations

import pytest

from counterfoil.records.orders.facts import OrderFacts, PartFacts
from counterfoil.steps.invoicing.rules import Settlement, credited_in_full, may_invoice, settle

ORDER = OrderFacts(number="CF-1", review="approved")


def part(parcel: str, books: str = "sales_order") -> PartFacts:
    return PartFacts(parcel=parcel, books=books, total=9000, charged=9000)


@pytest.mark.parametrize("parcel", ["shipped", "delivered", "returned"])
def test_what_has_left_is_invoiced(parcel: str) -> None:
    assert may_invoice(ORDER, part(parcel)) == []


@pytest.mark.parametrize(
    ("parcel", "code"),
    [("waiting", "not_picked"), ("picking", "not_picked"), ("picked", "not_packed"), ("packed", "not_packed")],
)
def test_nothing_is_revenue_before_it_has_left(parcel: str, code: str) -> None:
    assert [b.code for b in may_invoice(ORDER, part(parcel))] == [code]


def test_an_invoice_is_a_sales_order_first() -> None:
    assert [b.code for b in may_invoice(ORDER, part("shipped", "none"))] == ["no_sales_order"]


@pytest.mark.parametrize("books", ["invoiced", "credited"])
def test_a_part_is_invoiced_once(books: str) -> None:
    assert [b.code for b in may_invoice(ORDER, part("delivered", books))] == ["someone_else"]


def test_a_cancelled_order_is_not_invoiced() -> None:
    found = may_invoice(OrderFacts(number="CF-1", cancelled=True), part("waiting"))
    assert [b.code for b in found] == ["cancelled"]


@pytest.mark.parametrize(
    ("total", "charged", "refunds", "met"),
    [
        # Charged in full: the deposit becomes revenue.
        (9000, 9000, 0, Settlement(deposits=9000, returns=0, receivable=0)),
        # Paid on delivery: all of it is owed to us.
        (9000, 0, 0, Settlement(deposits=0, returns=0, receivable=9000)),
        # 10.00 given back between shipping and invoice, which bills everything.
        (9000, 9000, 1000, Settlement(deposits=8000, returns=1000, receivable=0)),
        # A cheaper substitute after the charge: the difference went back from the deposits, the invoice is smaller.
        (9000, 10_000, 1000, Settlement(deposits=9000, returns=0, receivable=0)),
        # The difference has not been decided upon yet: it stays the customer's deposit.
        (9000, 10_000, 0, Settlement(deposits=9000, returns=0, receivable=0)),
        # Something paid ahead, the rest on delivery, and some of what was paid given back.
        (9000, 4000, 1000, Settlement(deposits=3000, returns=1000, receivable=5000)),
        # Everything given back.
        (9000, 9000, 9000, Settlement(deposits=0, returns=9000, receivable=0)),
        (0, 0, 0, Settlement(0, 0, 0)),
    ],
)
def test_an_invoice_uses_up_the_deposits_that_are_left(total: int, charged: int, refunds: int, met: Settlement) -> None:
    assert settle(total=total, charged=charged, refunds=refunds) == met


def test_credited_means_that_all_that_was_charged_goes_back() -> None:
    def owed(refunded: int, refund_owed: int, books: str = "invoiced") -> bool:
        return credited_in_full(
            PartFacts(books=books, total=9000, charged=9000, refunded=refunded, refund_owed=refund_owed)
        )

    assert owed(4000, 5000)
    assert not owed(4000, 4999)
    assert not owed(9000, 0, books="credited")
    assert not credited_in_full(PartFacts(books="invoiced", total=0, charged=0))

"""The sales order becomes an invoice, the deposit revenue, and a refund a credit note: to the cent."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import Sum

from counterfoil.core import clock, documents
from counterfoil.core.actor import BOOKKEEPER, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Document, JournalEvent
from counterfoil.records.books.ledger import post
from counterfoil.records.books.models import Posting
from counterfoil.records.orders.models import Charge, Refund
from counterfoil.records.stock.models import Place
from counterfoil.records.stock.tests.build import shelve
from counterfoil.steps.fulfilment.actions import pack_order, pick_order, return_order, ship_order
from counterfoil.steps.fulfilment.tests.build import CLEO, PIA, Built, an_order
from counterfoil.steps.invoicing.actions import issue_credit_note, issue_invoice
from counterfoil.steps.invoicing.jobs import credit_note_job

pytestmark = pytest.mark.django_db
BEA = Actor("person", "Bea", BOOKKEEPER)


def shipped(*wanted: tuple[str, int], number: str = "A", **more: Any) -> Built:
    built = an_order(*wanted, **more)
    if built.part().charged:
        with writing():
            post(
                cause=f"capture:{built.number}",
                kind="capture",
                subject=built.number,
                text="Captured",
                currency="USD",
                amounts={"card_clearing": built.part().charged, "customer_deposits": -built.part().charged},
            )
    pick_order(order=built.number, actor=PIA)
    pack_order(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number=number)
    return built


def balances() -> dict[str, int]:
    """Every account that is not at zero; debits positive."""
    sums = Posting.objects.values_list("account").annotate(amount=Sum("amount"))
    return {account: amount for account, amount in sums if amount}


def refunded(built: Built, amount: int, *, after_invoice: bool = True, **more: Any) -> Refund:
    """A refund as it stands when it has been decided."""
    part = built.part()
    part.refund_owed += amount
    part.save()
    return Refund.objects.create(
        part=part,
        charge=Charge.objects.get(part=part),
        amount=amount,
        currency="USD",
        key=f"refund-{built.number}-{part.refund_owed}",
        reason="Two bottles were corked",
        after_invoice=after_invoice,
        actor="Cleo",
        at=clock.business_now(),
        made_at=clock.real_now(),
        **more,
    )


def test_an_invoice_turns_the_deposit_into_revenue() -> None:
    built = shipped(("QUILL", 3))
    # 3 x 20.00, shipping 15.00, tax 6.00
    invoice = issue_invoice(order=built.number, part=1, actor=BEA)
    assert balances() == {
        "card_clearing": 8100,
        "revenue": -6000,
        "shipping_income": -1500,
        "tax_payable": -600,
        "cost_of_goods": 3300,
        "inventory": -3300,
    }
    part = built.part()
    assert (part.books, part.invoice_number) == ("invoiced", invoice.number)
    event = JournalEvent.objects.filter(subject=built.number).latest("id")
    assert (event.kind, event.moves[0]["to"]) == ("order_invoiced", "invoiced")


@pytest.mark.parametrize("rounding", [7, -7])
def test_a_rounding_difference_goes_where_it_belongs(rounding: int) -> None:
    built = an_order(("QUILL", 1))
    part = built.part()
    part.rounding, part.total, part.charged = rounding, part.total + rounding, part.charged + rounding
    part.parcel = "shipped"
    part.save()
    issue_invoice(order=built.number, part=1, actor=BEA)
    found = dict(Posting.objects.filter(entry__kind="invoice").values_list("account", "amount"))
    assert found["rounding"] == -rounding
    assert found["customer_deposits"] == part.total


def test_a_part_is_invoiced_once_and_numbers_have_no_gaps() -> None:
    one, two = shipped(("QUILL", 1)), shipped(("TERN", 1), number="B")
    first = issue_invoice(order=one.number, part=1, actor=BEA)
    books = balances()
    assert issue_invoice(order=one.number, part=1, actor=CLEO).number == first.number
    assert balances() == books
    waiting = an_order(("COPPER", 1))
    with pytest.raises(Refused):
        issue_invoice(order=waiting.number, part=1, actor=BEA)
    second = issue_invoice(order=two.number, part=1, actor=BEA)
    assert int(second.number.split("-")[1]) == int(first.number.split("-")[1]) + 1


def test_what_was_paid_on_delivery_is_receivable_until_it_is_paid() -> None:
    built = shipped(("QUILL", 1), payment_method="on_delivery", money="unpaid", charged=0)
    invoice = issue_invoice(order=built.number, part=1, actor=BEA)
    assert balances()["receivable"] == 3700
    assert "customer_deposits" not in balances()
    assert invoice.content["due_text"] == "$37.00 on delivery"
    assert invoice.content["payment_text"] == "$37.00 to be paid"


def test_a_refund_decided_just_before_the_invoice_leaves_no_deposit_behind() -> None:
    built = shipped(("QUILL", 1))
    refunded(built, 1000, after_invoice=False, tax=54)
    with writing():
        post(
            cause="refund-decided",
            kind="refund_decided",
            subject=built.number,
            text="Refund decided",
            currency="USD",
            amounts={"customer_deposits": 1000, "refunds_payable": -1000},
        )
    billed = issue_invoice(order=built.number, part=1, actor=BEA)
    assert "customer_deposits" not in balances()
    assert (balances()["returns"], balances()["refunds_payable"], balances()["revenue"]) == (946, -1000, -2000)
    assert balances()["tax_payable"] == 54 - 200
    note = Document.objects.get(kind="credit-note")
    assert (note.content["invoice_number"], note.content["amount"]) == (billed.number, "$10.00")
    assert note.content["refund_text"] == "$10.00, before the invoice was made"
    assert documents.pdf(note)[:5] == b"%PDF-"
    assert built.part().books == "invoiced"


def test_goods_that_came_back_before_the_invoice_cost_nothing() -> None:
    built = shipped(("QUILL", 3))
    lines = [{"sku": "QUILL", "quantity": 2}]
    return_order(order=built.number, actor=PIA, lines=lines, condition="sellable", reason="not liked")
    issue_invoice(order=built.number, part=1, actor=BEA)
    assert balances()["inventory"] == -1100
    lines = [{"sku": "QUILL", "quantity": 1}]
    return_order(order=built.number, actor=PIA, lines=lines, condition="sellable", reason="not liked")
    assert "inventory" not in balances()
    assert "cost_of_goods" not in balances()


def test_goods_cost_what_their_lots_cost_whatever_the_catalogue_says_by_then() -> None:
    built = an_order(("QUILL", 3))
    place = Place.objects.get(product=built.products["QUILL"])
    place.on_hand, place.value = 1, 900
    place.save()
    shelve(place.product, 9, lot="DEAR", value=9 * 1300)
    place.product.cost = 5000
    place.product.save()
    for act in (pick_order, pack_order):
        act(order=built.number, actor=PIA)
    ship_order(order=built.number, actor=PIA, carrier="UPS", tracking_number="A")
    issue_invoice(order=built.number, part=1, actor=BEA)
    assert balances()["cost_of_goods"] == 900 + 2 * 1300
    back = [{"sku": "QUILL", "quantity": 2}]
    return_order(order=built.number, actor=PIA, lines=back, condition="damaged", reason="corked")
    assert balances()["cost_of_goods"] == 1300
    assert {p.lot: (p.quarantined, p.value) for p in Place.objects.all()} == {"": (1, 900), "DEAR": (1, 8 * 1300)}


def test_the_invoice_says_what_was_sent_how_and_how_it_was_paid() -> None:
    built = shipped(("QUILL", 3))
    invoice = issue_invoice(order=built.number, part=1, actor=BEA)
    content = invoice.content
    assert content["sales_order_number"] == built.part().sales_order_number
    assert content["amount"] == "$81.00"
    assert content["shipped_text"].endswith("; UPS A")
    assert content["payment_text"].startswith("$81.00 paid by card, visa ending in 4242, ")
    assert content["tax_lines"] == [{"label": "Tax 10 %", "base": "$60.00", "amount": "$6.00"}]
    assert content["due_text"] is None
    assert documents.pdf(invoice)[:5] == b"%PDF-"


def test_tax_by_rate_is_left_out_where_the_lines_do_not_add_up_to_it() -> None:
    built = an_order(("QUILL", 1), parcel="shipped")
    part = built.part()
    part.tax, part.rounding = part.tax + 1, -1
    part.save()
    assert issue_invoice(order=built.number, part=1, actor=BEA).content["tax_lines"] is None


def test_only_the_office_invoices() -> None:
    built = shipped(("QUILL", 1))
    with pytest.raises(Forbidden):
        issue_invoice(order=built.number, part=1, actor=PIA)
    with pytest.raises(Missing):
        issue_invoice(order=built.number, part=9, actor=BEA)
    with pytest.raises(Missing):
        issue_invoice(order="CF-0", part=1, actor=BEA)


def test_a_refund_after_the_invoice_is_credited_once() -> None:
    built = shipped(("QUILL", 3))
    invoice = issue_invoice(order=built.number, part=1, actor=BEA)
    refund = refunded(built, 4400, tax=400, lines=[{"sku": "QUILL", "quantity": 2}])
    books = balances()
    for _ in range(2):
        credit_note_job({"refund": refund.pk})
    (note,) = Document.objects.filter(subject=built.number, kind="credit-note")
    assert (note.version, note.content["invoice_number"], note.content["amount"]) == (1, invoice.number, "$44.00")
    assert [(ln["sku"], ln["quantity"], ln["amount"]) for ln in note.content["lines"]] == [("QUILL", 2, "$40.00")]
    assert [(t["label"], t["amount"]) for t in note.content["totals"]] == [
        ("Goods", "$40.00"), ("Tax", "$4.00"), ("Credited", "$44.00"),
    ]  # fmt: skip
    assert balances() == books
    assert built.part().books == "invoiced"
    assert documents.pdf(note)[:5] == b"%PDF-"


def test_the_books_are_credited_when_everything_goes_back() -> None:
    built = shipped(("QUILL", 3))
    issue_invoice(order=built.number, part=1, actor=BEA)
    first, rest = refunded(built, 1000), refunded(built, 7100, tax=600)
    notes = [issue_credit_note(order=built.number, part=1, refund_id=r.pk, actor=BEA) for r in (first, rest)]
    assert [n.version for n in notes] == [1, 2]
    assert built.part().books == "credited"
    assert [t["label"] for t in notes[1].content["totals"]] == ["Other", "Tax", "Credited"]


def test_a_refund_by_line_that_two_charges_share_lists_no_line_twice() -> None:
    # 44.00 for two bottles, of which this charge gives back 30.00: the note cannot say which bottle that was.
    built = shipped(("QUILL", 3))
    issue_invoice(order=built.number, part=1, actor=BEA)
    refund = refunded(built, 3000, tax=273, lines=[{"sku": "QUILL", "quantity": 2}])
    note = issue_credit_note(order=built.number, part=1, refund_id=refund.pk, actor=BEA)
    assert note.content["lines"] == []
    assert [(t["label"], t["amount"]) for t in note.content["totals"]] == [
        ("Other", "$27.27"), ("Tax", "$2.73"), ("Credited", "$30.00"),
    ]  # fmt: skip


def test_what_had_gone_back_whole_before_the_invoice_is_credited_whole_with_it() -> None:
    built = shipped(("QUILL", 1))
    refunded(built, 3700, after_invoice=False, tax=200)
    issue_invoice(order=built.number, part=1, actor=BEA)
    assert built.part().books == "credited"
    assert (balances()["returns"], balances()["revenue"], balances()["shipping_income"]) == (3500, -2000, -1500)
    assert "tax_payable" not in balances()


def test_a_refund_decided_before_the_invoice_is_credited_with_it_and_not_again() -> None:
    built = shipped(("QUILL", 1))
    refund = refunded(built, 500, after_invoice=False)
    issue_invoice(order=built.number, part=1, actor=BEA)
    credit_note_job({"refund": refund.pk})
    with pytest.raises(Invalid):
        issue_credit_note(order=built.number, part=1, refund_id=refund.pk, actor=BEA)
    assert Document.objects.filter(kind="credit-note").count() == 1


def test_no_credit_note_without_its_own_refund_or_an_invoice() -> None:
    built, other = shipped(("QUILL", 1)), shipped(("TERN", 1), number="B")
    refund = refunded(built, 500)
    with pytest.raises(Missing):
        issue_credit_note(order=other.number, part=1, refund_id=refund.pk, actor=BEA)
    with pytest.raises(Refused):
        issue_credit_note(order=built.number, part=1, refund_id=refund.pk, actor=BEA)

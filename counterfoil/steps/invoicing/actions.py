"""The sales order becomes an invoice; what is given back afterwards becomes a credit note. Neither is ever altered."""

from __future__ import annotations

from collections.abc import Sequence

from counterfoil.core import documents
from counterfoil.core.actor import BOOKKEEPER, CLERK, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, blocked
from counterfoil.core.machine import shift
from counterfoil.core.models import Document
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.records.books.ledger import post
from counterfoil.records.orders.load import check, facts_of, note, take
from counterfoil.records.orders.models import BOOKS, MONEY, Line, Order, Part, Refund
from counterfoil.records.stock.worth import cost_of_lines
from counterfoil.steps.invoicing import papers
from counterfoil.steps.invoicing.given import given_before
from counterfoil.steps.invoicing.rules import Settlement, credited_in_full, may_invoice, settle


def issue_invoice(*, order: str, part: int, actor: Actor) -> Document:
    """Invoice a shipped part: number, paper and books in one transaction. A part is invoiced once; a repeat answers
    with the same invoice.

    Raises Forbidden, Missing (no such order or part) or Refused.
    """
    require(actor, CLERK, BOOKKEEPER)
    issued = documents.newest(order, "invoice", part=part)
    if issued is not None:
        return issued
    with writing():
        taken = take(order)
        row = _part(taken, part)
        issued = documents.newest(order, "invoice", part=part)
        if issued is not None:  # another process came first
            return issued
        facts = facts_of(taken)
        check(may_invoice(facts, next(p for p in facts.parts if p.number == part)))
        lines = list(Line.objects.filter(part=row).select_related("product").order_by("position"))
        met = settle(total=row.total, charged=row.paid, refunds=row.refunded + row.refund_owed - row.given_back)
        document = documents.issue("invoice", subject=order, part=part, content=papers.invoice(taken, row, lines, met))
        row.invoice_number = document.number
        row.save(update_fields=["invoice_number"])
        given = given_before(taken, row, met)
        _post_sale(taken, row, document.number, met, given)
        _post_cost(taken, lines, document.number)
        note(
            taken,
            "order_invoiced",
            actor=actor,
            text=f"Invoice {document.number} for {show(row.total, taken.currency)}, filed",
            part=row,
            moves=[shift(BOOKS, "invoice", row, part=part)],
            data={"document": document.number},
        )
        if given is not None:
            _credit_given(taken, row, lines, given, document, actor)
    return document


def _credit_given(
    order: Order, part: Part, lines: Sequence[Line], given: Refund, billed: Document, actor: Actor
) -> None:
    """The credit note of what had gone back before the invoice, which bills all that was supplied: with the invoice."""
    document = documents.issue(
        "credit-note",
        subject=order.number,
        part=part.number,
        content=papers.given_credit_note(order, lines, given, billed),
    )
    facts = next(p for p in facts_of(order).parts if p.number == part.number)
    note(
        order,
        "credit_note_issued",
        actor=actor,
        text=f"Credit note {document.number} for {show(given.amount, given.currency)}, given back before "
        f"{billed.number}",
        part=part,
        moves=[shift(BOOKS, "credit", part, part=part.number)] if credited_in_full(facts) else [],
        data={"document": document.number},
    )


def issue_credit_note(*, order: str, part: int, refund_id: int, actor: Actor) -> Document:
    """Issue the credit note of a refund that was decided after the invoice, once for each refund.

    It stands however the processor answers: the money is owed to the customer from the decision on. The refund's own
    entry in the books is made with the refund. Raises Forbidden, Missing (no such order, part or refund), Invalid
    (`refund` decided before the invoice) or Refused (not invoiced yet).
    """
    require(actor, CLERK, BOOKKEEPER)
    with writing():
        taken = take(order)
        row = _part(taken, part)
        refund = Refund.objects.filter(part=row, pk=refund_id).select_related("charge").first()
        if refund is None:
            raise Missing(f"{order} has no refund {refund_id}")
        notes = list(Document.objects.filter(subject=order, kind="credit-note", part=part).order_by("version"))
        issued = next((d for d in notes if d.content.get("refund") == refund.pk), None)
        if issued is not None:
            return issued
        if not refund.after_invoice:
            raise Invalid(("refund", "was credited with the invoice, or the invoice does not bill it"))
        billed = documents.newest(order, "invoice", part=part)
        if billed is None:
            raise blocked("not_packed", "there is no invoice to correct yet")
        lines = list(Line.objects.filter(part=row).order_by("position"))
        document = documents.issue(
            "credit-note",
            subject=order,
            part=part,
            version=len(notes) + 1,
            content=papers.credit_note(taken, lines, refund, billed),
        )
        facts = next(p for p in facts_of(taken).parts if p.number == part)
        note(
            taken,
            "credit_note_issued",
            actor=actor,
            text=f"Credit note {document.number} for {show(refund.amount, refund.currency)} on {billed.number}",
            part=row,
            moves=[shift(BOOKS, "credit", row, part=part)] if credited_in_full(facts) else [],
            data={"document": document.number, "refund": refund.pk},
        )
    return document


def credit_unpaid(*, order: str, part: int, actor: Actor) -> None:
    """A parcel to be paid at the door came back whole and unpaid: its invoice is credited, the receivable closed.

    Called by advance; does nothing where it does not apply (any more).
    """
    require(actor, CLERK, BOOKKEEPER)
    with writing():
        taken = take(order)
        row = _part(taken, part)
        billed = documents.newest(order, "invoice", part=part)
        if row.money != "receivable" or row.parcel != "returned" or row.books != "invoiced" or billed is None:
            return
        count = Document.objects.filter(subject=order, kind="credit-note", part=part).count()
        document = documents.issue(
            "credit-note",
            subject=order,
            part=part,
            version=count + 1,
            content=papers.unpaid_credit_note(taken, row, billed, "Not accepted at the door; everything came back"),
        )
        post(
            cause=f"credit:{document.number}",
            kind="credit_unpaid",
            subject=order,
            text=f"Credit note {document.number} on {billed.number}, never paid",
            currency=taken.currency,
            amounts={
                "returns": row.total - row.tax,
                "tax_payable": row.tax,
                "receivable": -row.total,
            },
        )
        note(
            taken,
            "credit_note_issued",
            actor=actor,
            text=f"Credit note {document.number} for {show(row.total, taken.currency)}: it came back unpaid",
            part=row,
            moves=[shift(MONEY, "forgive", row, part=part), shift(BOOKS, "credit", row, part=part)],
            data={"document": document.number},
        )


def _part(order: Order, number: int) -> Part:
    found = Part.objects.filter(order=order, number=number).first()
    if found is None:
        raise Missing(f"{order.number} has no part {number}")
    return found


def _post_sale(order: Order, part: Part, number: str, met: Settlement, given: Refund | None) -> None:
    """What was a deposit is revenue from here on; what was never charged is owed to us.

    What had gone back before is a return like one that comes later: its tax is owed to nobody any more.
    """
    tax = given.tax if given is not None else 0
    post(
        cause=f"invoice:{number}",
        kind="invoice",
        subject=order.number,
        text=f"Invoice {number} for {order.number}",
        currency=order.currency,
        amounts={
            "customer_deposits": met.deposits,
            "receivable": met.receivable,
            # Given back before this invoice, which bills everything that was shipped; see `settle`.
            "returns": met.returns - tax,
            "revenue": -part.subtotal,
            "shipping_income": -part.shipping,
            "tax_payable": tax - part.tax,
            # A positive rounding made the customer pay more: it is income, a credit like the others.
            "rounding": -part.rounding,
        },
    )


def _post_cost(order: Order, lines: Sequence[Line], number: str) -> None:
    """What left the shelf and has not come back yet, at what its lots cost us, in the shop's own currency."""
    cost = cost_of_lines(order.number, [ln.pk for ln in lines])
    post(
        cause=f"invoice:{number}:cost",
        kind="cost",
        subject=order.number,
        text=f"Cost of the goods on {number}",
        currency=shop().currency,
        amounts={"cost_of_goods": cost, "inventory": -cost},
    )

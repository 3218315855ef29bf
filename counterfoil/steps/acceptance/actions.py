"""The order goes into the books: a sales order in two copies, the printed web order attached to the file copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from counterfoil.core import clock, documents
from counterfoil.core.actor import CLERK, SYSTEM, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.machine import shift
from counterfoil.core.models import Document
from counterfoil.core.money import show
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.load import check, facts_of, find, note, take
from counterfoil.records.orders.models import BOOKS, Line, Order, Part
from counterfoil.records.orders.slip import order_paper, payment_words, priced_lines, say_date, totals
from counterfoil.steps.acceptance.rules import has_sales_order, may_make_sales_order

AGE_NOTICE = "CONTAINS ALCOHOL: SIGNATURE OF PERSON AGE 21 YEARS OR OLDER REQUIRED FOR DELIVERY"


def make_sales_order(*, order: str, actor: Actor) -> Order:
    """Enter an order as a sales order in two copies. Once: a repeat changes nothing.

    Raises Refused with every blocker, Forbidden, Missing.
    """
    require(actor, CLERK)
    known = find(order)
    if known.cancelled_at is None and has_sales_order(facts_of(known)):
        return known
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        check(may_make_sales_order(facts))
        web_order(taken)
        for part in Part.objects.filter(order=taken, books="none").order_by("number"):
            lines = list(Line.objects.filter(part=part).order_by("position"))
            if not any(ln.quantity for ln in lines):
                continue
            number = documents.next_number("sales-order")
            part.sales_order_number = number
            part.save(update_fields=["sales_order_number"])
            issue_copies(taken, part, lines, number=number, version=1)
            note(
                taken,
                "sales_order_made",
                actor=actor,
                part=part,
                text=f"Sales order {number} made, in two copies",
                moves=[shift(BOOKS, "enter", part, part=part.number)],
                data={"document": number},
            )
    return taken


def issue_copies(taken: Order, part: Part, lines: list[Line], *, number: str, version: int) -> None:
    """The customer's copy and the file copy; inside `writing()`."""
    content = sales_order_content(taken, part, lines)
    documents.issue(
        "sales-order", subject=taken.number, part=part.number, version=version, number=number, content=content
    )
    documents.issue(
        "sales-order-copy",
        subject=taken.number,
        part=part.number,
        version=version,
        number=f"{number}-C",
        content=content,
    )


def reissue_sales_order(*, order: str, part: int) -> None:
    """The order was amended: a new version of both copies, the old ones kept. Nothing when the newest is right."""
    with writing():
        taken = take(order)
        row = Part.objects.get(order=taken, number=part)
        newest = documents.newest(taken.number, "sales-order", part=part)
        if newest is None or row.books != "sales_order" or taken.cancelled_at is not None:
            return
        lines = list(Line.objects.filter(part=row).order_by("position"))
        content = sales_order_content(taken, row, lines)
        if all(newest.content.get(k) == content[k] for k in ("lines", "totals", "promise", "delivery_method")):
            return
        version = newest.version + 1
        base = row.sales_order_number.partition("-V")[0]
        issue_copies(taken, row, lines, number=f"{base}-V{version}", version=version)
        row.sales_order_number = f"{base}-V{version}"
        row.save(update_fields=["sales_order_number"])
        note(
            taken,
            "sales_order_reissued",
            actor=SYSTEM,
            part=row,
            text=f"Sales order {base}, version {version}, made in two copies",
            data={"document": row.sales_order_number},
        )


def sales_order_content(taken: Order, part: Part, lines: list[Line]) -> dict[str, Any]:
    """What both copies say."""
    return {
        **order_paper(taken, at=clock.business_now()),
        "currency": taken.currency,
        "amount": show(part.total, taken.currency),
        "lines": priced_lines(lines, taken.currency),
        "totals": totals(part, taken.currency),
        "promise": say_date(part.promise_date) or None,
        "payment_text": payment_words(taken),
        "age_notice": age_notice(lines),
    }


def age_notice(lines: list[Line]) -> str | None:
    """The carrier's label text where a line holds alcohol."""
    ids = [ln.product_id for ln in lines if ln.quantity]
    return AGE_NOTICE if Product.objects.filter(pk__in=ids, age_restricted=True).exists() else None


def web_order(taken: Order) -> Document:
    """The order as it came in, as a paper; made once. Inside `writing()`, the order taken."""
    known = documents.newest(taken.number, "web-order")
    if known is not None:
        return known
    lines = list(Line.objects.filter(order=taken).order_by("position"))
    content = _as_it_came(taken, lines, age_notice(lines))
    return documents.issue("web-order", subject=taken.number, number=f"WO-{taken.number}", content=content)


def _as_it_came(order: Order, lines: list[Line], notice: str | None) -> dict[str, Any]:
    return {
        **order_paper(order, at=clock.business_now()),
        "currency": order.currency,
        "amount": show(order.total, order.currency),
        "lines": [{**ln, "status": None} for ln in priced_lines(lines, order.currency)],
        "totals": totals(order, order.currency),
        "needed_by": say_date(order.needed_by) or None,
        "payment_text": payment_words(order),
        "customer_note": order.comment or None,
        "age_notice": notice,
        "to_check": [str(f.get("text", "")) for f in order.flags] or None,
    }


def web_orders(*, orders: Sequence[str]) -> list[Document]:
    """The web orders of many orders, in their order; those not made yet are made now. A handful of statements.

    The orders are kept from changing meanwhile, and not taken: a paper of what came in is no work on the order, and
    who has its page open goes on.
    """
    with writing():
        found = list(Order.objects.filter(number__in=orders).order_by("id").select_for_update())
        known = {d.subject: d for d in Document.objects.filter(subject__in=orders, kind="web-order").order_by("id")}
        new = {o.pk: o for o in found if o.number not in known}
        lines: dict[int, list[Line]] = {pk: [] for pk in new}
        for line in Line.objects.filter(order_id__in=list(new)).order_by("order_id", "position") if new else ():
            lines[line.order_id].append(line)
        ids = {ln.product_id for mine in lines.values() for ln in mine if ln.quantity}
        strong = set(Product.objects.filter(pk__in=ids, age_restricted=True).values_list("pk", flat=True))
        made = {}
        for pk, order in new.items():
            notice = AGE_NOTICE if any(ln.quantity and ln.product_id in strong for ln in lines[pk]) else None
            made[order.number] = (f"WO-{order.number}", _as_it_came(order, lines[pk], notice))
        known |= {d.subject: d for d in documents.issue_many("web-order", made)} if made else {}
    return [known[number] for number in orders if number in known]


def document_of(*, order: str, kind: str) -> Document | None:
    """The newest document of a kind on an order; the web order is made when it is first asked for."""
    found = documents.newest(order, kind)
    if found is None and kind == "web-order":
        with writing():
            found = web_order(take(order))
    return found

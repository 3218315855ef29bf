"""What we have to show about a disputed charge: for the bank's form, and as one paper with everything in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from counterfoil.core import clock, documents, papers
from counterfoil.core.db import read_each
from counterfoil.core.models import Document, JournalEvent
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.gateways.card.protocol import Evidence
from counterfoil.records.orders.models import (
    Charge,
    Line,
    Notice,
    Order,
    Package,
    Part,
    Promise,
    Proposal,
    Refund,
    Shipment,
)
from counterfoil.records.orders.slip import address_lines, order_paper, priced_lines, say_date, say_moment, totals
from counterfoil.steps.charging.models import Dispute
from counterfoil.steps.charging.queries import reason_in_words

KIND = "evidence"
MAIL = "mail_sent"
_PAPERS = {
    "web-order": "Web order",
    "sales-order": "Sales order, customer's copy",
    "sales-order-copy": "Sales order, file copy",
    "card-receipt": "Card receipt",
    "pick-list": "Pick list",
    "packing-slip": "Packing slip",
    "invoice": "Invoice",
    "credit-note": "Credit note",
}
_NO_SIGNATURE = "No signature was written down here; where the service asks for one, the carrier's page has it"
_LAST = 300  # events of the timeline that are shown

Row = dict[str, str]


def evidence_pdf(row: Dispute) -> tuple[str, bytes]:
    """The evidence pack and its name: as it was sent, else as everything stands now."""
    if row.document:
        return row.document, documents.pdf(documents.find(row.document))
    content = {**pack_of(row), "number": row.order.number, "issued_at": clock.business_now().isoformat()}
    size: Literal["a4", "letter"] = "letter" if shop().paper == "letter" else "a4"
    pdf = papers.render(KIND, content, paper=size, logo=documents.logo_of(content))
    return f"{row.order.number}-evidence", pdf


def evidence_for(row: Dispute) -> Evidence:
    """What the bank's form has fields for."""
    order, part = row.order, row.charge.part
    sent = list(Shipment.objects.filter(part=part).order_by("id"))
    return Evidence(
        customer_name=order.name,
        customer_email=order.email,
        billing_address=_address(order.billing_address),
        shipping_address=_address(order.shipping_address),
        product_description=", ".join(f"{ln.quantity} × {ln.name}" for ln in _lines(part)),
        shipping_carrier=", ".join(dict.fromkeys(s.carrier for s in sent)),
        shipping_date=", ".join(dict.fromkeys(say_date(shop().day_of(s.shipped_at)) for s in sent)),
        tracking_number=", ".join(s.tracking_number for s in sent),
        text=row.answer_text or summary_of(row),
    )


@dataclass(frozen=True)
class Case:
    """What is known of the part whose charge is disputed, and of its order's questions and mails; the oldest first."""

    row: Dispute
    promises: list[Promise]
    notices: list[Notice]
    charges: list[Charge]
    shipments: list[Shipment]
    packages: list[Package]
    refunds: list[Refund]
    proposals: list[Proposal]
    mails: list[JournalEvent]


def case_of(row: Dispute) -> Case:
    """Read it: one statement."""
    part, order = row.charge.part, row.order
    of = "WHERE part_id = %s"
    return Case(
        row,
        *read_each(
            (Promise, of, [part.pk]),
            (Notice, of, [part.pk]),
            (Charge, f"{of} AND state = 'succeeded'", [part.pk]),
            (Shipment, of, [part.pk]),
            (Package, f"{of} AND shipment_id IS NOT NULL", [part.pk]),
            (Refund, of, [part.pk]),
            (Proposal, "WHERE order_id = %s", [order.pk]),
            (JournalEvent, "WHERE subject = %s AND kind = %s", [order.number, MAIL]),
        ),
    )


def summary_of(row: Dispute, case: Case | None = None) -> str:
    """The case in plain words, for the bank's free text and the head of the pack."""
    order = row.order
    case = case or case_of(row)
    said = [f"Order {order.number} was placed on {say_moment(order.placed_at)} by {order.name} ({order.email})."]
    for section in (_promises(case), _consent(row), _charges(case), _parcels(case), _refunds(case)):
        said += [f"{r['when']}: {r['what']}" if r.get("when") else r["what"] for r in section]
    mails = _mails(case)
    if mails:
        said.append("Mails to the customer: " + "; ".join(f"{r['when']}, {r['what']}" for r in mails) + ".")
    return "\n".join(said)


def pack_of(row: Dispute) -> dict[str, Any]:
    """The content of the paper: everything that we know about the order of a disputed charge."""
    order, part, charge = row.order, row.charge.part, row.charge
    case = case_of(row)
    sections = (
        ("What was promised", _promises(case)),
        ("Agreement to the later charge", _consent(row)),
        ("The charge", _charges(case)),
        ("Shipment and delivery", _parcels(case)),
        ("Refunds", _refunds(case)),
        ("Mails sent to the customer", _mails(case)),
        ("Questions and answers", _questions(case)),
        ("Papers issued", _papers(order)),
        ("Everything that happened", _timeline(order)),
    )
    none = {"Shipment and delivery": "Nothing has been shipped.", "Refunds": "Nothing has been refunded."}
    card = {"brand": charge.brand.title(), "last4": charge.last4} if charge.brand and charge.last4 else None
    return {
        **order_paper(order, at=clock.business_now()),
        "terms": _terms(order),
        "currency": row.currency,
        "amount": show(row.amount, row.currency),
        "dispute_text": row.dispute_id,
        "reason_text": reason_in_words(row.reason),
        "kind_text": "The bank asks" if row.inquiry else "The bank took the money back",
        "opened_text": say_moment(row.opened_at),
        "due_text": say_moment(row.due_by) if row.due_by else None,
        "card": card,
        "statement": row.answer_text or summary_of(row, case),
        "lines": priced_lines(_lines(part), order.currency),
        "totals": totals(part, order.currency),
        "sections": [
            {"title": title, "rows": rows or [{"what": none[title]}]}
            for title, rows in sections
            if rows or title in none
        ],
    }


def _lines(part: Part) -> list[Line]:
    return list(Line.objects.filter(part=part, quantity__gt=0).order_by("position"))


def _address(address: dict[str, Any]) -> str:
    return "\n".join(line for line in (address.get("name", ""), *address_lines(address)) if line)


def _terms(order: Order) -> str | None:
    """As they stood when the order was placed: its web order has them."""
    first = Document.objects.filter(subject=order.number, kind="web-order").order_by("id").first()
    return str(first.content.get("terms") or "") or None if first is not None else shop().terms or None


def _promises(case: Case) -> list[Row]:
    notices = {notice.pk: notice for notice in case.notices}
    made = sorted(case.promises, key=lambda p: p.version)
    return [{"when": say_moment(p.at), "what": _promised(p, notices.get(p.notice_id or 0))} for p in made]


def _promised(promise: Promise, notice: Notice | None) -> str:
    """The date, on what it rests, how the customer came to have it, and until when the law lets it be."""
    said = "Delivery promised without a date"
    if promise.date is not None:
        said = f"Ship date {say_date(promise.date)} promised"
    told = f" of {say_moment(notice.sent_at)}" if notice is not None else ""
    how = {
        Promise.STATED: "stated by the shop",
        Promise.IMPLIED: f"the customer did not object to the notice{told}: implied consent",
        Promise.EXPRESS: f"the customer agreed to it{f' in answer to the notice{told}' if told else ''}",
    }[promise.consent]
    last = f"at the latest {say_date(promise.legal_deadline)}"
    if promise.legal_deadline is None:
        last = "no latest day, since the customer waits without a date"
    return f"{said} ({promise.basis}); {how}; {last}"


def _consent(row: Dispute) -> list[Row]:
    order = row.order
    if not order.card_consent:
        return []
    where, when = "at the check-out", order.placed_at
    if order.channel != "web" and order.card_source:
        where = f"with the order that came by {order.channel}"
    elif order.channel != "web":  # no card came with it: they gave one at the card page, and agreed to this there
        saved = JournalEvent.objects.filter(subject=order.number, kind="card_saved").order_by("id").first()
        where, when = "at the card page, as they gave their card,", saved.at if saved is not None else when
    return [
        {
            "when": say_moment(when),
            "what": f"The customer agreed {where} that their card is kept and charged once the goods can be sent",
        }
    ]


def _charges(case: Case) -> list[Row]:
    found = []
    for c in sorted(case.charges, key=lambda c: c.attempt):
        card = f" to {c.brand.title()} ending in {c.last4}" if c.last4 else ""
        disputed = " (disputed)" if c.pk == case.row.charge_id else ""
        proof = " / ".join(p for p in (c.charge_id, c.intent_id, c.reference) if p)
        when = say_moment(c.settled_at) if c.settled_at else ""
        found.append({"when": when, "what": f"{show(c.amount, c.currency)} charged{card}{disputed}: {proof}"})
    return found


def _parcels(case: Case) -> list[Row]:
    found, order = [], case.row.order
    for s in case.shipments:
        boxes = sorted((p for p in case.packages if p.shipment_id == s.pk), key=lambda p: p.number)
        link = f" ({s.tracking_url})" if s.tracking_url else ""
        units = ", ".join(f"{u['quantity']} × {u['sku']}" for p in boxes for u in p.lines)
        what = f"Shipped with {s.carrier}, tracking number {s.tracking_number}{link}, {order.shipping_method}"
        found.append({"when": say_moment(s.shipped_at), "what": f"{what}: {units}" if units else what})
        if s.delivered_at is not None:
            what = f"Delivered to {_address(order.shipping_address).replace(chr(10), ', ')}"
            signature = f"Signed for by {s.signed_by}" if s.signed_by else _NO_SIGNATURE
            found.append({"when": say_moment(s.delivered_at), "what": f"{what}. {signature}"})
    return found


def _refunds(case: Case) -> list[Row]:
    words = {"pending": "on its way", "succeeded": "paid", "failed": "failed, still owed"}
    return [
        {"when": say_moment(r.at), "what": f"Refund of {show(r.amount, r.currency)}, {words[r.state]}: {r.reason}"}
        for r in case.refunds
    ]


def _mails(case: Case) -> list[Row]:
    """With their text as it went out, but for those sent before it was kept."""
    found = []
    for e in case.mails:
        row = {"when": say_moment(e.at), "what": f"“{e.data.get('subject', e.text)}” to {e.data.get('to', '')}"}
        text = str(e.data.get("body", "")).strip()
        found.append({**row, "text": text} if text else row)
    return found


def _questions(case: Case) -> list[Row]:
    found = []
    for asked in case.proposals:
        offered = "; ".join(str(choice.get("text", "")) for choice in asked.choices)
        found.append({"when": say_moment(asked.made_at), "what": f"{asked.made_by} offered: {offered}"})
        if asked.answered_at is not None:
            found.append({"when": say_moment(asked.answered_at), "what": _ended(asked)})
    return found


def _ended(asked: Proposal) -> str:
    """How a question was closed. Only what the customer said is called their answer."""
    if asked.state == Proposal.EXPIRED:
        return "No answer came in time"
    if asked.state == Proposal.WITHDRAWN:
        return f"The question was taken back{f': {asked.closed_because}' if asked.closed_because else ''}"
    chosen = asked.choices[asked.choice]["text"] if asked.choice is not None else "none of these"
    return f"The customer's answer{f' ({asked.answered_via})' if asked.answered_via else ''}: {chosen}"


def _papers(order: Order) -> list[Row]:
    issued = Document.objects.filter(subject=order.number, kind__in=_PAPERS).defer("content").order_by("id")
    return [{"when": say_moment(d.issued_at), "what": f"{_PAPERS[d.kind]} {d.number}"} for d in issued]


def _timeline(order: Order) -> list[Row]:
    events = JournalEvent.objects.filter(subject=order.number).exclude(kind=MAIL).order_by("-id")[:_LAST]
    return [{"when": say_moment(e.at), "what": f"{e.text} · {e.actor}"} for e in reversed(events)]

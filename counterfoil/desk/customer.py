"""The customer's page of one order: who holds its link may read it and answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core import documents
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Invalid, Missing, Refused
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.core.web import Limiter, address_of
from counterfoil.desk import queries
from counterfoil.desk.pages import SeeOther, pdf_answer
from counterfoil.desk.promised import told_customer
from counterfoil.desk.queries import Dossier
from counterfoil.desk.saying import near_day, say_date
from counterfoil.desk.slips import step_of
from counterfoil.desk.words import CUSTOMER_DOCUMENTS, STATUS
from counterfoil.records.orders.models import Contact, Line, Offered, Order, Part, Proposal
from counterfoil.steps.alternatives.actions import answer_proposal, chosen_words, closed_words, kept_words
from counterfoil.steps.alternatives.contacts import receive_message
from counterfoil.steps.alternatives.late import day_on, words_on

BY_ADDRESS = Limiter(20, 3600)  # messages
BY_ORDER = Limiter(6, 3600)
WRONG = Limiter(60, 60)  # wrong links a minute and address: nobody tries tokens here


@dataclass(frozen=True)
class Happened:
    """Something that has happened, in the customer's words."""

    at: datetime
    glyph: str
    text: str


@dataclass(frozen=True)
class Ahead:
    """What happens next, and whether the customer has to do something for it."""

    text: str
    more: str = ""
    pay: bool = False
    enter_card: bool = False


def _by_token(request: HttpRequest, token: str) -> Order:
    found = Order.objects.filter(token=token).first() if len(token) < 60 and token.isprintable() else None
    if found is None:
        if not WRONG.allows(address_of(request)):
            raise Missing("this link is not known; wait a minute before the next try")
        raise Missing("this link belongs to no order; perhaps the end of it was cut off, or a newer mail has another")
    return found


@require_safe
def order_page(request: HttpRequest, token: str) -> HttpResponse:
    """What has happened, what happens next, parcels, papers, and our question if there is one."""
    return _page(request, _by_token(request, token))


def _page(
    request: HttpRequest,
    order: Order,
    *,
    status: int = 200,
    trouble: str = "",
    errors: Mapping[str, str] | None = None,
    message: str = "",
) -> HttpResponse:
    lines = queries.lines_of(order)
    parts = sorted({ln.part_id: ln.part for ln in lines}.values(), key=lambda p: p.number)
    file = queries.dossier(order)
    question = next((q for q in file.proposals if q.state == Proposal.OPEN), None)
    silence, kept = told_customer(question), kept_of(question) if question else {}
    messages = list(Contact.objects.filter(order=order, kind=Contact.MESSAGE).order_by("id"))
    context: dict[str, Any] = {
        "order": order,
        "lines": lines,
        "parts": parts,
        "status": STATUS.get(order.status, ("", "○", order.status)),
        "step": step_of(order, parts),
        "happened": happened(order, parts, file, messages),
        "ahead": ahead(order, parts, lines, question, silence),
        "not_charged": not_charged(order, parts),
        "money": money_lines(order, parts),
        "question": question,
        "silence": silence,
        "choices": [offered(c, order.currency, kept) for c in question.choices] if question else [],
        "closed": closed_question(file.proposals),
        "file": file,
        "papers": [(CUSTOMER_DOCUMENTS[d.kind], d) for d in file.documents if d.kind in CUSTOMER_DOCUMENTS],
        "promise": min((p.promise_date for p in parts if p.promise_date), default=None),
        "trouble": trouble,
        "errors": errors or {},
        "message": mask_cards(message),
        "messages": messages,
        "sent": request.GET.get("sent") == "yes" and bool(messages),
    }
    response = render(request, "desk/customer.html", context, status=status)
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return card_form(response)


def card_form(response: HttpResponse) -> HttpResponse:
    """Let this page's forms lead to the hosted card page, which is another site."""
    targets = ["https://checkout.stripe.com"]
    if settings.SANDBOX_URL:
        targets.append(settings.SANDBOX_URL)
    response.csp_form_action = " ".join(targets)  # type: ignore[attr-defined]
    return response


def kept_of(question: Proposal) -> dict[int, int]:
    """By product, the units that are kept while the question stands."""
    found = Offered.objects.filter(proposal=question, released_at=None)
    return dict(found.values_list("product_id", "quantity"))


def closed_question(proposals: Sequence[Proposal]) -> str:
    """What became of our last question, for a customer who comes back to its link; empty when one is open, or none."""
    last = proposals[-1] if proposals else None
    if last is None or last.state == Proposal.OPEN:
        return ""
    words = closed_words(last)
    return f"{words[0].upper()}{words[1:]}."


def offered(choice: Mapping[str, Any], currency: str, kept: Mapping[int, int]) -> dict[str, Any]:
    """A choice of our question as the customer reads it: text, price with tax, date, whether it is kept for them."""
    difference, total = int(choice.get("difference") or 0), choice.get("total")
    price = "the same price"
    if difference:
        price = f"{show(abs(difference), currency)} {'more' if difference > 0 else 'less'} with tax"
    if total is not None:
        price += f", total {show(int(total), currency)}"
    today = shop().today()
    return {
        "text": words_on(choice, today),
        "price": price,
        "kept": kept_words(choice, kept),
        "day": day_on(choice, today),
    }


def not_charged(order: Order, parts: list[Part]) -> bool:
    """Whether the sentence "your card has not been charged yet" is true and of interest."""
    quiet = all(p.money in {"unpaid", "saved", "authorised", "declined"} for p in parts)
    return order.payment_method == "card" and order.cancelled_at is None and quiet and not any(p.charged for p in parts)


def money_lines(order: Order, parts: Sequence[Part]) -> list[str]:
    """Where the customer's money is, in sentences: held by their bank, charged and when, gone back."""
    card = f", {order.card_brand} ending in {order.card_last4}," if order.card_last4 else ""
    said = []
    for part in parts:
        if part.money == "authorised" and part.authorisation_amount:
            until = part.authorisation_expires_at
            ends = f" until {say_date(shop().day_of(until))}" if until else ""
            said.append(f"Your bank holds {show(part.authorisation_amount, order.currency)} for us{ends}.")
        if part.charged and part.charged_at:
            when, amount = say_date(shop().day_of(part.charged_at)), show(part.charged, order.currency)
            on_card = order.payment_method == "card"
            said.append(f"Your card{card} was charged {amount} on {when}." if on_card else f"Paid {amount} on {when}.")
    back = sum(p.refunded for p in parts)
    if back:
        said.append(f"{show(back, order.currency)} of it went back to you.")
    return said


def happened(order: Order, parts: list[Part], file: Dossier, messages: Sequence[Contact] = ()) -> list[Happened]:
    """The order's story from its own facts, newest first."""
    began = "You placed the order" if order.finished else "You began to check out"
    found = [Happened(order.placed_at, "⌂", began)]
    if order.approved_at:
        promise = min((p.promise_date for p in parts if p.promise_date), default=None)
        text = f"We checked it: ships {say_date(promise)}" if promise else "We checked it"
        found.append(Happened(order.approved_at, "●", text))
    several = len(parts) > 1
    for part in parts:
        if part.charged_at and part.charged:
            how = "Your card was charged" if order.payment_method == "card" else "Your payment was recorded:"
            found.append(Happened(part.charged_at, "$", f"{how} {show(part.charged, order.currency)}"))
    for box in file.packages:
        found.append(Happened(box.packed_at, "◕", f"Package {box.number} was packed" if several else "Packed"))
    for parcel in file.shipments:
        found.append(Happened(parcel.shipped_at, "➤", f"Shipped with {parcel.carrier}"))
        if parcel.delivered_at:
            found.append(Happened(parcel.delivered_at, "✓", "Delivered"))
    for question in file.proposals:
        found.append(Happened(question.made_at, "?", "We asked you a question"))
        if question.answered_at and question.state == Proposal.WITHDRAWN:
            because = f": {question.closed_because}" if question.closed_because else ""
            found.append(Happened(question.answered_at, "?", f"We took our question back{because}"))
        if question.answered_at and question.state in {Proposal.ACCEPTED, Proposal.DECLINED}:
            text = chosen_words(question) or "none of our choices"
            found.append(Happened(question.answered_at, "?", f"You answered: {text}"))
    for refund in file.refunds:
        words = {"succeeded": "went back to you", "pending": "is on its way back to you"}.get(
            refund.state, "is owed to you"
        )
        found.append(Happened(refund.at, "↩", f"{show(refund.amount, order.currency)} {words}"))
    found += [Happened(m.at, "✎", f"You wrote: {m.text}") for m in messages]
    if order.cancelled_at:
        found.append(Happened(order.cancelled_at, "✕", "Cancelled"))
    return sorted(found, key=lambda h: h.at, reverse=True)


def ahead(order: Order, parts: list[Part], lines: list[Line], question: Proposal | None, silence: str = "") -> Ahead:
    """What happens next, and when."""
    promise = min((p.promise_date for p in parts if p.promise_date), default=None)
    ships = f"It ships {near_day(promise)}." if promise else "You get the ship date by mail."
    back = sum(p.refund_owed for p in parts)
    if order.status == "cancelled":
        if back:
            return Ahead("Your money is on its way back.", "Banks take up to ten days to show it.")
        return Ahead(
            "Nothing more: this order is cancelled.", "" if any(p.charged for p in parts) else "Nothing was charged."
        )
    if order.status == "unfinished":
        return Ahead("Enter your card to finish the order.", "It is saved, not charged.", enter_card=True)
    if question is not None:
        return Ahead("We need your answer.", silence)
    if order.card_state == "refused" and not any(p.charged for p in parts):
        return Ahead("Your bank refused the card.", "Give another one: your order waits.", enter_card=True)
    unpaid = [p for p in parts if p.money == "declined" or (p.money == "saved" and p.decline_class)]
    if unpaid and all(p.let_go_at for p in unpaid):
        return Ahead(
            "Your goods are back on the shelf: they were not paid in time.",
            "Give a card, and we look whether they are still here. We charge it only if they are.",
            enter_card=True,
        )
    if unpaid and all(p.decline_class == "ours" for p in unpaid):
        return Ahead("We cannot take the payment yet, and look into it.", "There is nothing that you need do.")
    if unpaid:
        kept = min((p.grace_until for p in unpaid if p.grace_until and not p.let_go_at), default=None)
        until = f" We keep your goods until {say_date(shop().day_of(kept))}." if kept else ""
        return Ahead(
            "Your bank said no to the charge.", f"Pay with any card, and your order goes on by itself.{until}", pay=True
        )
    if order.status == "delivered":
        return Ahead("Nothing more: it has arrived.", "Enjoy it.")
    if order.status == "returned":
        return Ahead("It came back to us.", f"We write to you at {order.email}." if order.email else "We ring you up.")
    if order.status == "shipped":
        return Ahead("It is on its way.", "Follow the parcel below.")
    if order.status == "pending":
        return Ahead("One of us reads your order.", "Then you get the date on which it ships, by mail.")
    due = [ln.due_date for ln in lines if ln.due and ln.due_date]
    if any(ln.short > 0 or ln.due for ln in lines):
        arrives = f"It arrives here {near_day(max(due))}." if due else ""
        return Ahead("We are getting in what is missing.", f"{arrives} {ships}".strip())
    if all(p.money == "charged" for p in parts):
        return Ahead("We pick and pack it.", ships)
    return Ahead("We charge the card and pack it." if order.payment_method == "card" else "We pack it.", ships)


@require_POST
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The customer's choice. The question must belong to this very order."""
    order = _by_token(request, token)
    named = request.POST.get("proposal", "")
    asked = Proposal.objects.filter(order=order, token=named).first() if storable(named) else None
    if asked is None:
        return _page(request, order, status=422, trouble="This question is no longer open.")
    picked = request.POST.get("choice", "")
    decline = bool(request.POST.get("decline"))
    try:
        answer_proposal(
            token=asked.token, choice=int(picked) if _is_choice(picked) and not decline else None, decline=decline
        )
    except Invalid:
        return _page(request, order, status=422, trouble="Choose one of the answers.")
    except Refused as error:
        return _page(request, Order.objects.get(pk=order.pk), status=409, trouble=str(error))
    return SeeOther(f"/orders/{token}")


def _is_choice(text: str) -> bool:
    return text.isdecimal() and len(text) < 4


@require_POST
def message(request: HttpRequest, token: str) -> HttpResponse:
    """Get in touch: what the customer writes stands on their order and in the shop's mail."""
    order = _by_token(request, token)
    text = request.POST.get("message", "")
    if not BY_ADDRESS.allows(address_of(request)) or not BY_ORDER.allows(order.token):
        trouble = "You have written several times in an hour. We have it all; call us if it is urgent."
        return _page(request, order, status=429, errors={"message": trouble}, message=text)
    try:
        receive_message(order=order.number, text=text)
    except Invalid as error:
        return _page(request, order, status=422, errors=dict(error.errors), message=text)
    return SeeOther(f"/orders/{token}?sent=yes#contact")


@require_safe
def document(request: HttpRequest, token: str, number: str) -> HttpResponse:
    """One of the customer's own papers."""
    order = _by_token(request, token)
    found = documents.find(number)
    if found.subject != order.number or found.kind not in CUSTOMER_DOCUMENTS:
        raise Missing("there is no such paper for this order")
    return pdf_answer(found.number, documents.pdf(found))

"""The table of acts: a verb in a form's address -> the step's action behind it; gates and roles are the actions'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import BOOKKEEPER, CLERK, PICKER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing, Refused, StillAsking, blocked
from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_key, plain
from counterfoil.desk.agreed import amend_by_form, change_back_by_form, merge_by_form
from counterfoil.desk.reading import (
    Form,
    amount_of,
    date_of,
    indexed,
    maybe_amount,
    maybe_date,
    maybe_moment,
    maybe_whole,
    text_of,
    whole_of,
)
from counterfoil.desk.saying import say_date
from counterfoil.flow import amend
from counterfoil.gateways.card.protocol import NotDone, OutcomeUnknown
from counterfoil.gateways.carrier.labels import carriers_of, label_number
from counterfoil.records.customers.actions import remember_customer
from counterfoil.records.orders.load import find, note, take
from counterfoil.records.orders.models import Call, Order, Part, Proposal
from counterfoil.steps.acceptance import actions as acceptance
from counterfoil.steps.alternatives import actions as alternatives
from counterfoil.steps.alternatives.calls import record_call, take_offer
from counterfoil.steps.alternatives.choices import FIELDS
from counterfoil.steps.alternatives.contacts import record_contact
from counterfoil.steps.alternatives.needed import need_by
from counterfoil.steps.charging import actions as charging
from counterfoil.steps.charging.queries import find_dispute
from counterfoil.steps.fulfilment import actions as fulfilment
from counterfoil.steps.review import actions as review
from counterfoil.steps.review.details import FIELDS as FIELDS_OF_ORDER
from counterfoil.steps.review.details import change_details
from counterfoil.steps.sourcing import actions as sourcing

MOST_CHOICES = 6  # of a question built at the desk; the API takes ten
Act = Callable[[str, Form, Actor], str]
"""Order number, form, who -> what the next page says. Raises what the action raises."""


def _approve(order: str, form: Form, actor: Actor) -> str:
    day = date_of(form, "ship_estimate")
    review.approve_order(order=order, ship_estimate=day, actor=actor, version=maybe_whole(form, "version"))
    return f"{order} approved. The customer is told that it ships {say_date(day)}."


def _hold(order: str, form: Form, actor: Actor) -> str:
    review.hold_order(order=order, reason=text_of(form, "reason"), kind=text_of(form, "kind"), actor=actor)
    return f"{order} is on hold."


def _release(order: str, form: Form, actor: Actor) -> str:
    review.release_hold(order=order, hold=whole_of(form, "hold"), actor=actor)
    return f"{order} goes on."


def _sales_order(order: str, form: Form, actor: Actor) -> str:
    acceptance.make_sales_order(order=order, actor=actor)
    return f"{order} is in the books, in two copies."


def _check_stock(order: str, form: Form, actor: Actor) -> str:
    seen = [{"sku": sku, "seen": _count(count, f"seen:{sku}")} for sku, count in indexed(form, "seen").items()]
    sourcing.check_stock(order=order, actor=actor, lines=seen or None)
    return f"Stock checked for {order}."


def _charge(order: str, form: Form, actor: Actor) -> str:
    part, version = maybe_whole(form, "part", least=1), maybe_whole(form, "version")
    before = _charged(order)
    done = charging.charge_order(order=order, actor=actor, part=part, version=version)
    # Of several parts perhaps not all could be charged, and of a part perhaps only what it had become dearer by.
    return f"{order}: {show(_charged(order) - before, done.currency)} charged."


def _charged(order: str) -> int:
    """What was charged of an order until now, minor units."""
    return sum(Part.objects.filter(order__number=order).values_list("charged", flat=True))


def _authorise(order: str, form: Form, actor: Actor) -> str:
    charging.authorise_order(order=order, actor=actor, part=maybe_whole(form, "part", least=1))
    return f"{order}: the bank holds the amount for us; nothing is charged yet."


def _record_payment(order: str, form: Form, actor: Actor) -> str:
    currency = find(order).currency
    offline: dict[str, object] = {
        "reference": text_of(form, "reference", needed="write down the slip's or cheque's number", kind=clean_key),
        "amount": amount_of(form, "amount", currency),
    }
    for name in ("kind", "brand", "last4"):
        if text_of(form, name):
            offline[name] = text_of(form, name)
    charging.charge_order(order=order, actor=actor, part=maybe_whole(form, "part", least=1), offline=offline)
    return f"Payment of {order} recorded."


def _ask_bank(order: str, form: Form, actor: Actor) -> str:
    require(actor, CLERK)
    for charge in charging.unsettled_of(order):
        try:
            known = charging.send_charge(charge, by=actor.name)
        except (NotDone, OutcomeUnknown) as error:
            raise StillAsking(f"the bank cannot be reached: {error}") from error
        if not known:
            raise StillAsking("the bank has not answered yet; we keep asking. Nothing is charged twice")
    return f"{order}: the bank has answered."


def _pay_link(order: str, form: Form, actor: Actor) -> str:
    require(actor, CLERK)
    with writing():
        taken = take(order)
        if not taken.email:
            raise blocked("no_email", "there is no e-mail address to which a link could go: take it at the terminal")
        note(taken, "pay_link_asked", actor=actor, text="Link to pay mailed to the customer", advance=False)
        jobs.enqueue("charging.pay_mail", key=order, payload={"order": order, "key": f"desk-{taken.version}"})
    return f"{order}: the customer gets a link to pay."


def _refund_again(order: str, form: Form, actor: Actor) -> str:
    by_hand = bool(text_of(form, "by_hand"))
    charging.retry_refund(order=order, refund_id=whole_of(form, "refund", least=1), actor=actor, by_hand=by_hand)
    return f"{order}: the refund is {'written down as paid back' if by_hand else 'tried again'}."


def _answer_bank(order: str, form: Form, actor: Actor) -> str:
    charging.send_evidence(dispute=_dispute(order, form), actor=actor, text=text_of(form, "text"))
    return f"{order}: the evidence is with the bank. It decides; nothing more can be sent."


def _accept_loss(order: str, form: Form, actor: Actor) -> str:
    charging.accept_loss(dispute=_dispute(order, form), actor=actor)
    return f"{order}: the bank knows that we do not contest it."


def _own_dispute(order: str, form: Form, actor: Actor) -> str:
    charging.own_dispute(dispute=_dispute(order, form), actor=actor)
    return f"The dispute of {order} is yours."


def _dispute(order: str, form: Form) -> int:
    """A dispute, if it is this order's. Raises Missing."""
    found = find_dispute(whole_of(form, "dispute", least=1))
    if found.order.number != order:
        raise Missing(f"{order} has no such dispute")
    return found.pk


def _refund(order: str, form: Form, actor: Actor) -> str:
    known = find(order)
    amount = maybe_amount(form, "amount", known.currency)
    lines = _lines(form)
    if amount is None and not lines and not form.get("everything"):
        raise Invalid(("amount", "give an amount, or the lines to refund"))
    if (amount is not None or lines) and form.get("everything"):
        raise Invalid(("amount", "leave amount and units empty to refund everything"))
    reason = text_of(form, "reason")
    try:
        made = charging.refund_order(order=order, actor=actor, amount=amount, lines=lines or None, reason=reason)
    except Refused as error:
        if amount is None or error.blockers[0].code != "over_refundable":
            raise
        raise Invalid(("amount", error.blockers[0].message)) from error  # told where it was typed
    return f"{show(made.amount, known.currency)} goes back to the customer."


def _pick(order: str, form: Form, actor: Actor) -> str:
    lines = _lines(form)
    short = {sku: _count(n, f"short:{sku}") for sku, n in indexed(form, "short").items()}
    lines = [{**line, "short": short.pop(line["sku"], 0)} for line in lines]
    lines += [{"sku": sku, "quantity": 0, "short": count} for sku, count in short.items() if count]
    fulfilment.pick_order(order=order, actor=actor, lines=lines or None, part=maybe_whole(form, "part", least=1))
    return f"{order}: picked."


def _pack(order: str, form: Form, actor: Actor) -> str:
    fulfilment.pack_order(
        order=order,
        actor=actor,
        lines=_lines(form) or None,
        weight_g=maybe_whole(form, "weight_g", least=1),
        part=maybe_whole(form, "part", least=1),
    )
    return f"{order}: packed."


def _ship(order: str, form: Form, actor: Actor) -> str:
    boxes = text_of(form, "packages")  # some of them, from the bench: "17,18"
    # The action knows how the carrier numbers its parcels.
    number = text_of(form, "tracking_number", needed="the customer wants to follow it: give the number", kind=plain)
    carrier = text_of(form, "carrier")
    if not carrier:
        number = label_number(number)
        carrier = _carrier_of(find(order), number)
    made = fulfilment.ship_order(
        order=order,
        actor=actor,
        carrier=carrier,
        tracking_number=number,
        packages=[_count(box, "packages") for box in boxes.split(",")] if boxes else None,
    )
    return f"{order}: shipped with {made.carrier}, {made.tracking_number}. {made.order.name} is told by mail."


def _carrier_of(order: Order, number: str) -> str:
    """Whose parcel has this number. Raises Invalid where the number does not tell."""
    settings = shop()
    found = carriers_of(number, ours=settings.carriers(), usual=settings.carrier_of(order.shipping_method))
    if len(found) == 1:
        return found[0]
    why = f"{' or '.join(found)} could have this number" if found else "no carrier's check digit fits this number"
    raise Invalid(("carrier", f"{why}: name the carrier"))


def _deliver(order: str, form: Form, actor: Actor) -> str:
    signed_by = text_of(form, "signed_by")
    shipment = maybe_whole(form, "shipment", least=1)
    fulfilment.deliver_order(order=order, actor=actor, shipment=shipment, signed_by=signed_by)
    return f"{order}: delivered."


def _return(order: str, form: Form, actor: Actor) -> str:
    lines = _lines(form)
    if not lines:
        raise Invalid(("lines", "say what came back"))
    fulfilment.return_order(
        order=order, actor=actor, lines=lines, condition=text_of(form, "condition"), reason=text_of(form, "reason")
    )
    return f"{order}: what came back is entered."


def _break_in_box(order: str, form: Form, actor: Actor) -> str:
    lines = _lines(form)
    if not lines:
        raise Invalid(("lines", "say what broke"))
    fulfilment.break_units(order=order, actor=actor, lines=lines, package=whole_of(form, "package", least=1))
    return f"{order}: the box is open again, and what broke is set aside."


def _propose(order: str, form: Form, actor: Actor) -> str:
    choices = choices_of(form, find(order), most=MOST_CHOICES)
    alternatives.propose_alternatives(order=order, actor=actor, choices=choices, message=text_of(form, "message"))
    how = "by mail" if find(order).email else "on the telephone: it stands under To call"
    return f"The customer of {order} is asked {how}. Nothing changes until they say yes."


def choices_of(form: Form, order: Order, *, most: int) -> list[dict[str, Any]]:
    """Choices from fields such as `kind:0`, `sku:0`. Raises Invalid by the form's own field."""
    choices: list[dict[str, Any]] = []
    for i in range(most):
        kind = text_of(form, f"kind:{i}")
        if not kind:
            continue
        choice: dict[str, Any] = {"kind": kind}
        for name in ("line", "sku", "method"):
            if text_of(form, f"{name}:{i}"):
                choice[name] = text_of(form, f"{name}:{i}")
        given = {
            "quantity": maybe_whole(form, f"quantity:{i}", least=1),
            "price": maybe_amount(form, f"price:{i}", order.currency),
            "date": maybe_date(form, f"date:{i}"),
        }
        if kind == "expedite" and text_of(form, f"pays:{i}") == "shop":
            given["price"] = order.shipping  # the shop pays: it costs the customer what the present delivery does
        kept = {**choice, **{name: value for name, value in given.items() if value is not None}}
        if any(name.startswith("pays:") for name in form):
            # The builder keeps a row's fields when its kind is changed: those of another kind are no wish of this one.
            fits = {"kind", *FIELDS.get(kind, ())}
            kept = {name: value for name, value in kept.items() if name in fits}
        choices.append(kept)
    if not choices:
        raise Invalid(("kind:0", "offer at least one choice"))
    return choices


def _answer(order: str, form: Form, actor: Actor) -> str:
    choice = maybe_whole(form, "choice")
    token = _question(order, form)
    alternatives.answer_proposal(
        token=token,
        choice=choice,
        decline=choice is None,
        via="telephone",
        actor=actor,
        spoken_to=text_of(form, "spoken_to"),
    )
    return f"{order}: the answer is noted."


def _withdraw(order: str, form: Form, actor: Actor) -> str:
    alternatives.withdraw_proposal(token=_question(order, form), actor=actor)
    return f"{order}: the question is withdrawn."


def _question(order: str, form: Form) -> str:
    """The token of a question, if it is this order's. Raises Missing."""
    token = text_of(form, "token")
    if not Proposal.objects.filter(order__number=order, token=token).exists():
        raise Missing(f"{order} has no such question")
    return token


def _call(order: str, form: Form, actor: Actor) -> str:
    # Enter in the field of the time presses no button that has an outcome.
    given = text_of(form, "outcome") or (Call.CALL_BACK if form.get("call_back_at") else "")
    outcome, _, which = text_of({"outcome": given}, "outcome", needed="say how the call went").partition(":")
    record_call(
        order=order,
        actor=actor,
        outcome=outcome,
        note_text=text_of(form, "note"),
        # Beside another outcome a time that was typed before means nothing.
        call_back_at=maybe_moment(form, "call_back_at", shop().timezone) if outcome == Call.CALL_BACK else None,
        choice=maybe_whole({"choice": which}, "choice"),
        spoken_to=text_of(form, "spoken_to"),
    )
    return f"{order}: the call is noted."


def _take_offer(order: str, form: Form, actor: Actor) -> str:
    (choice,) = choices_of(form, find(order), most=1)
    made = take_offer(order=order, actor=actor, choice=choice, spoken_to=text_of(form, "spoken_to"))
    return f"{order}: they take it. {made.choices[0]['text']}."


def _remember(order: str, form: Form, actor: Actor) -> str:
    remember_customer(
        order=order,
        actor=actor,
        note_text=str(form.get("note", "")),
        prefers=text_of(form, "prefers"),
        was=form.get("note_was"),
    )
    return "Kept for the next time."


def _details(order: str, form: Form, actor: Actor) -> str:
    given = {name: str(form[name]) for name in FIELDS_OF_ORDER if name in form}
    change_details(order=order, actor=actor, changes=given, version=maybe_whole(form, "version"))
    return f"{order}: kept. Papers that were issued stay as they are."


def _need_by(order: str, form: Form, actor: Actor) -> str:
    day = maybe_date(form, "needed_by")
    need_by(order=order, actor=actor, day=day, version=maybe_whole(form, "version"))
    return f"{order}: needed by {say_date(day)}." if day else f"{order}: needed by no certain day."


def _contact(order: str, form: Form, actor: Actor) -> str:
    kind, _, direction = text_of(form, "kind", needed="say what it was").partition(":")
    record_contact(
        order=order,
        actor=actor,
        kind=kind,
        direction=direction,
        spoken_to=text_of(form, "spoken_to"),
        text=text_of(form, "text", needed="write down what was said"),
    )
    return f"{order}: written down."


def _cancel(order: str, form: Form, actor: Actor) -> str:
    amend.cancel_order(order=order, actor=actor, reason=text_of(form, "reason", needed="say why it is cancelled"))
    return f"{order} is cancelled. Whatever was charged goes back."


def _lines(form: Form) -> list[dict[str, Any]]:
    """Units by SKU from fields `quantity:SKU`; zeros are left out."""
    counted = {sku: _count(n, f"quantity:{sku}") for sku, n in indexed(form, "quantity").items()}
    return [{"sku": sku, "quantity": count} for sku, count in counted.items() if count]


def _count(text: str, name: str) -> int:
    return whole_of({name: text}, name)


ACTS: dict[str, Act] = {
    "approve": _approve,
    "hold": _hold,
    "release": _release,
    "sales-order": _sales_order,
    "check-stock": _check_stock,
    "charge": _charge,
    "authorise": _authorise,
    "record-payment": _record_payment,
    "ask-bank": _ask_bank,
    "pay-link": _pay_link,
    "refund": _refund,
    "refund-again": _refund_again,
    "answer-bank": _answer_bank,
    "accept-loss": _accept_loss,
    "own-dispute": _own_dispute,
    "pick": _pick,
    "pack": _pack,
    "ship": _ship,
    "deliver": _deliver,
    "return": _return,
    "break": _break_in_box,
    "propose": _propose,
    "answer": _answer,
    "withdraw": _withdraw,
    "call": _call,
    "take-offer": _take_offer,
    "remember": _remember,
    "details": _details,
    "needed-by": _need_by,
    "contact": _contact,
    "cancel": _cancel,
    "amend": amend_by_form,
    "change-back": change_back_by_form,
    "merge": merge_by_form,
}
# What a whole queue can be ticked for: the act, the words of its button, and whose it is. The first is the usual one;
# everything else wants a look at each order.
_REFUND = ("refund", "Refund", (CLERK, BOOKKEEPER))
BULK: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "review": (("approve", "Approve", (CLERK,)),),
    "sales_order": (("sales-order", "Make sales orders", (CLERK,)),),
    "charge": (("charge", "Charge", (CLERK,)),),
    "charged_waiting": (_REFUND,),
    "cannot_ship": (_REFUND,),
    "pick": (("pick", "Picked", (PICKER,)), _REFUND),
    "pack": (("pack", "Packed", (PICKER,)), _REFUND),
    "ship": (_REFUND,),
    "transit": (_REFUND,),
    "done": (_REFUND,),
}

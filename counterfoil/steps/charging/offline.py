"""Money that a person holds, by card at a terminal, cheque, transfer or cash: written down, and given back by hand.

The terminal calls nobody, so its slip is written in the transaction that takes the order: both stand, or neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core import clock
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Refused, blocked
from counterfoil.core.machine import shift
from counterfoil.core.text import clean, clean_key
from counterfoil.gateways.card.protocol import Intent
from counterfoil.gateways.card.terminal.gateway import TerminalGateway, UsedElsewhere
from counterfoil.gateways.card.terminal.models import KINDS
from counterfoil.records.orders.load import facts_of, find, take
from counterfoil.records.orders.models import MONEY, Charge, Order, Part, Refund
from counterfoil.steps.charging.cards import due_of
from counterfoil.steps.charging.rules import may_charge, most_telling
from counterfoil.steps.charging.settle import write_capture

TILL = TerminalGateway()
_USUAL = {"terminal": "card", "cheque": "cheque"}  # a way to pay -> what the clerk then holds


@dataclass(frozen=True)
class Paid:
    """What a clerk says of money in hand. `amount` in minor units; `kind` may be empty: as the order was to be paid."""

    reference: str
    amount: int
    kind: str = ""
    brand: str = ""
    last4: str = ""


def record_payment(order: str, actor: Actor, wanted: int | None, given: dict[str, object]) -> Order:
    """Write down what was paid for the part named, or for the first that may be paid.

    Raises Refused with every blocker, and Invalid (also for a slip that is money of another order).
    """
    paid = _checked(given)
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        gates = {p.number: may_charge(facts, p, offline=True) for p in facts.parts if wanted in {None, p.number}}
        if not gates:
            raise Invalid(("part", f"{order} has no part {wanted}"))
        if not taken.payment_method or taken.payment_method == "card":
            raise blocked("no_payment_method", "this order is paid by card; charge the card or send a pay link")
        number = next((n for n, blockers in gates.items() if not blockers), None)
        if number is None:
            raise Refused(most_telling(list(gates.values())))
        part = Part.objects.get(order=taken, number=number)
        if paid.amount != due_of(part):
            raise Invalid(("amount", f"{due_of(part)} is due, not {paid.amount}"))
        attempt = Charge.objects.filter(part=part).count() + 1
        key = f"offline-{taken.token[:20]}-{number}-{attempt}"
        slip = _slip(taken, paid, key, actor)
        charge = Charge.objects.create(
            part=part, attempt=attempt, amount=paid.amount, currency=taken.currency, state="succeeded",
            method=taken.payment_method, create_key=key, confirm_key=key, intent_id=slip.id if slip else "",
            reference=paid.reference, brand=paid.brand, last4=paid.last4, actor=actor.name,
            made_at=clock.real_now(), settled_at=clock.business_now(),
        )  # fmt: skip
        moves = [shift(MONEY, "record", part, part=number)]
        write_capture(taken, part, charge, amount=paid.amount, by=actor.name, moves=moves)
    return find(order)


def _slip(taken: Order, paid: Paid, key: str, actor: Actor) -> Intent | None:
    """The slip at the terminal; none where nothing was to be paid."""
    if not paid.amount:
        return None
    stands = {"order": taken.number, "charge": key, "slip": paid.reference, "by": actor.name}
    stands |= {"brand": paid.brand, "last4": paid.last4}
    kind = paid.kind or usual_kind(taken.payment_method, paid.last4)
    slip = TILL.create_intent(amount=paid.amount, currency=taken.currency, method=kind, reference=stands, key=key)
    try:
        # Who does not say what it is a number of may count in their own way.
        return TILL.confirm_intent(slip.id, key=key, shared=not paid.kind)
    except UsedElsewhere as used:
        raise Invalid(
            ("reference", f"{used}; if it is another one, or pays both, add what tells them apart, such as its date")
        ) from None


def usual_kind(method: str, last4: str) -> str:
    """What a clerk usually holds of an order that is paid in this way."""
    return _USUAL.get(method) or ("card" if last4 else "cash")


def _checked(given: dict[str, object]) -> Paid:
    wrong = []
    amount = given.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        wrong.append(("amount", "the amount in minor units"))
    texts = {}
    for name, limit, fit in (("reference", 120, clean_key), ("brand", 20, clean)):
        try:
            texts[name] = fit(str(given.get(name) or ""))
        except ValueError as error:
            wrong.append((name, str(error)))
            continue
        if len(texts[name]) > limit:
            wrong.append((name, f"at most {limit} characters"))
    if texts.get("reference") == "":
        wrong.append(("reference", "the number on the terminal's slip, the cheque or the transfer"))
    last4 = str(given.get("last4") or "")
    if last4 and not (len(last4) == 4 and last4.isascii() and last4.isdigit()):
        wrong.append(("last4", "the last four digits of the card"))
    kind = str(given.get("kind") or "")
    if kind and kind not in KINDS:
        wrong.append(("kind", f"one of {', '.join(KINDS)}"))
    if wrong:
        raise Invalid(*wrong)
    return Paid(texts["reference"], int(str(amount)), kind, texts["brand"], last4)


def owe_back(refund: Refund) -> str:
    """Note on the slip that money of it goes back, pending until a person says that they paid it; the note's id.

    Empty for what was recorded without a slip: `reconcile` lists it.
    """
    if not refund.charge.intent_id:
        return ""
    mark = {"refund": refund.key}
    return TILL.refund(intent_id=refund.charge.intent_id, amount=refund.amount, reference=mark, key=refund.key).id


def paid_back(refund: Refund, actor: Actor) -> None:
    """A person has given it back: so it stands on the slip. Inside `writing()`, with the refund's own entry."""
    noted = owe_back(refund)
    if noted:
        TILL.paid_back(noted, by=actor.name)

"""What a person asks to be charged: the parts whose gate is open, the amount, and what is owed until it can begin."""

from __future__ import annotations

from dataclasses import asdict, replace

from counterfoil.core import jobs
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Refused, blocked
from counterfoil.core.models import Job
from counterfoil.core.money import show
from counterfoil.records.orders.facts import OrderFacts
from counterfoil.records.orders.load import facts_of, note, take
from counterfoil.records.orders.models import Order, Part
from counterfoil.steps.charging.cards import due_of
from counterfoil.steps.charging.rules import may_charge, most_telling

SOON = 3.0  # seconds until a charge that could not begin is tried by a job


def open_parts(facts: OrderFacts, wanted: int | None) -> list[int]:
    """The parts that may be charged, of all or of the one named. Raises Refused with the reasons when none may."""
    gates = {p.number: may_charge(facts, p) for p in facts.parts if wanted in {None, p.number}}
    if not gates:
        raise Invalid(("part", f"{facts.number} has no part {wanted}"))
    open_ = [number for number, blockers in gates.items() if not blockers]
    if not open_:
        raise Refused(most_telling(list(gates.values())))
    return open_


def check_amount(taken: Order, numbers: list[int], asked: int) -> None:
    """Raise Refused when these parts do not cost any more what was asked for."""
    due = sum(due_of(p) for p in Part.objects.filter(order=taken, number__in=numbers))
    if due != asked:
        was, now = show(asked, taken.currency), show(due, taken.currency)
        raise blocked("someone_else", f"{was} was to be charged and now it is {now}; look and charge again")


def owe_charge(order: str, wanted: int | None, actor: Actor) -> None:
    """Keep what was asked for, with the amount that it was asked for: a job charges that, through the whole gate.

    Raises Refused when it may not be charged even with its card: then nothing follows, and the asker knows why.
    """
    with writing():
        taken = take(order)
        facts = facts_of(taken)
        if facts.card_state != "saved":
            # What is not known is supposed to turn out well; what the customer agreed to with this card comes with it.
            agreed = facts.card_consent or facts.card_state != "to_save"
            facts = replace(facts, card_state="saved", card_consent=agreed)
        for number in open_parts(facts, wanted):
            part = Part.objects.get(order=taken, number=number)
            due, key = due_of(part), f"{order}-{number}"
            waiting = Job.objects.filter(key=f"charging.asked:{key}", state=Job.QUEUED).first()
            if waiting is not None and waiting.payload["due"] == due:
                continue  # asked for already, and by whom is known
            jobs.settle("charging.asked", key)
            owed = {"order": order, "part": number, "due": due, "actor": asdict(actor)}
            jobs.enqueue("charging.asked", key=key, payload=owed, delay=SOON)
            text = "Charge asked for: it follows by itself once the bank has answered about the card"
            note(taken, "charge_owed", actor=actor, part=part, text=text, data={"amount": due}, advance=False)

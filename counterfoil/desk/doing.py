"""Doing what a button says: at once, or by a job after some seconds in which it can be undone.

What waits is a row and a job, written in one transaction. The act is then done in the transaction that takes the row
from "waiting", so a crash leaves either both or neither; Undo takes the row from the same state.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, InterfaceError, OperationalError

from counterfoil.core import clock, jobs
from counterfoil.core.access.models import User
from counterfoil.core.actor import CLERK, Actor, require
from counterfoil.core.cards import mask_cards
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.errors import Declined, Forbidden, Invalid, Missing, Refused, StillAsking, blocked
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.core.text import storable
from counterfoil.desk.acts import ACTS
from counterfoil.desk.models import Deed
from counterfoil.desk.reading import Form
from counterfoil.gateways.carrier.labels import label_number
from counterfoil.records.orders.models import Order, Part, Proposal
from counterfoil.steps.alternatives.calls import tells_customer

log = logging.getLogger(__name__)
# Acts that wait for their Undo, and what of them is said to go out: an approval, and whatever mails the customer.
WAITS = {
    "approve": "Approval",
    "release": "Release of the hold",
    "propose": "Question to the customer",
    "withdraw": "Withdrawal of the question",
    "answer": "Customer's answer",
    "take-offer": "Customer's choice",
    "call": "Word of the call",
    "pay-link": "Link to pay",
    "ship": "Shipment",
    "cancel": "Cancellation",
    "amend": "Change",
    "change-back": "Change back",
    "merge": "Merging of its parts",
    "refund": "Refund",
}
# What was drawn before it was agreed to: it is done to the order as it was drawn, or not at all.
_AS_DRAWN = frozenset({"amend", "change-back", "merge"})
# What calls the bank, and can therefore not stand in one transaction with its row.
ASKS_THE_BANK = frozenset({"charge"})
SAYS_NO = (Refused, Invalid, Missing, Forbidden, Declined)
# Found by their number: the action has looked at it, and a mask would make another number of it.
_AS_TYPED = frozenset({"tracking_number"})
_NO_WISH = frozenset({"csrfmiddlewaretoken", "next", "order"})


@dataclass(frozen=True)
class Answered:
    """What a page says after an act; `deed` when it waits."""

    text: str
    deed: Deed | None = None


class _Rehearsed(Exception):
    """The act would be done; nothing of it is."""


def undo_seconds() -> int:
    """How long an act waits for its Undo."""
    return shop().undo_seconds


def do_or_wait(order: str, verb: str, form: Form, user: User) -> Answered:
    """Do an act now, or rehearse it and let it wait. Raises what the act raises; then nothing is kept."""
    wanted = _fresh(order, verb, form)
    if undo_seconds() == 0 or not _waits(order, verb, wanted):
        return Answered(ACTS[verb](order, wanted, user.actor))
    if verb == "ship":
        _refuse_label_of_another(order, wanted)
    rehearse(order, verb, wanted, user.actor)
    return _wait(order, verb, wanted, user)


def _waits(order: str, verb: str, form: Form) -> bool:
    """Whether this act waits: not where it calls the bank, and of calls and releases only what mails the customer."""
    if verb == "ship":
        return shop().charge_on != "shipped"
    if verb == "call":
        return tells_customer(order, str(form.get("outcome", "")).partition(":")[0])
    if verb == "release":
        # A question that was asked because of the hold has lost its reason, and its customer is told so.
        return Proposal.objects.filter(order__number=order, state=Proposal.OPEN).exists()
    return verb in WAITS


def shipment_waiting(order: str) -> Deed | None:
    """The shipment of this order that waits for its Undo."""
    return Deed.objects.filter(order__number=order, verb="ship", state=Deed.WAITING).select_related("user").first()


def _refuse_label_of_another(order: str, form: Form) -> None:
    """One label is one parcel, also while the first one waits. Raises Invalid with where it is."""
    number = label_number(str(form.get("tracking_number", "")))
    waiting = Deed.objects.filter(verb="ship", state__in=Deed.OPEN).exclude(order__number=order)
    for other in waiting.select_related("order", "user"):
        if number and label_number(str(other.form.get("tracking_number", ""))) == number:
            why = f"{number} is on {other.order.number}: {going_out(other)}"
            raise Invalid(("tracking_number", why))


def rehearse(order: str, verb: str, form: Form, actor: Actor) -> None:
    """Go through an act with all its gates, and take everything back. Raises what it raises."""
    try:
        with writing():
            ACTS[verb](order, form, actor)
            raise _Rehearsed
    except _Rehearsed:
        return


def _fresh(order: str, verb: str, form: Form) -> dict[str, str]:
    """The form, its `version` brought up to date where only we ourselves have written since the page was drawn.

    A person's work on the order in between leaves it as it is: the act then says whose.
    """
    given = dict(form)
    drawn = given.get("version", "")
    if verb in _AS_DRAWN or not drawn.isdecimal() or len(drawn) > 9:
        return given
    found = rows("SELECT version FROM orders_order WHERE number = %s", [order])
    if found and int(found[0][0]) > int(drawn):
        people = JournalEvent.objects.filter(subject=order, version__gt=int(drawn)).exclude(actor_kind="system")
        if not people.exists():
            given["version"] = str(found[0][0])
    return given


def kept_form(form: Form) -> dict[str, str]:
    """A form as it is stored: without what is of the page, without card numbers, and without what cannot be stored.

    What an act reads of the last has been refused before.
    """
    return {
        mask_cards(name): value if name in _AS_TYPED else mask_cards(value)
        for name, value in form.items()
        if name not in _NO_WISH and storable(name + value)
    }


def _wait(order: str, verb: str, form: Form, user: User) -> Answered:
    now = clock.real_now()
    seconds = undo_seconds()
    due = now + timedelta(seconds=jobs.paced(seconds))
    try:
        with writing():
            found = Order.objects.only("id").get(number=order)
            deed = Deed.objects.create(order=found, verb=verb, form=kept_form(form), user=user, made_at=now, due_at=due)
            jobs.enqueue("desk.deed", key=str(deed.pk), payload={"deed": deed.pk}, delay=seconds)
    except IntegrityError:
        raise _already_waits(order) from None
    return Answered(f"{order}: {WAITS[verb].lower()} goes out in {seconds} s.", deed)


def _already_waits(order: str) -> Refused:
    other = Deed.objects.filter(order__number=order, state__in=Deed.OPEN).select_related("user").first()
    if other is None:
        return blocked("someone_else", f"{order} has just been worked on; look at it again")
    return blocked("someone_else", f"{going_out(other)}; undo it first", by=other.user.name)


def going_out(other: Deed) -> str:
    """What is said of an act that is open, to who wants another one."""
    if other.run_id is None:
        return f"{WAITS[other.verb]} by {other.user.name} is going out"
    return f"{other.user.name} is working on it with other orders"


def undo(deed: int, *, actor: Actor) -> Deed:
    """Take back what waits. Raises Missing, Forbidden, and Refused when it has gone out already."""
    found = Deed.objects.select_related("order", "user").filter(pk=deed).first()
    if found is None:
        raise Missing("there is no such act")
    if found.user.actor.id != actor.id:
        require(actor, CLERK)
    with writing():
        taken = execute("UPDATE desk_deed SET state = 'undone' WHERE id = %s AND state = 'waiting'", [deed])
        if not taken and not Deed.objects.filter(pk=deed, state=Deed.UNDONE).exists():
            raise blocked("someone_else", f"{found.order.number}: too late, it has gone out")
        if found.run_id is None:
            jobs.settle("desk.deed", str(deed))
    return found


def do_deed(deed: Deed) -> None:
    """Do what waited, once; whoever asked for it is told when it is refused."""
    try:
        with writing():
            if not execute(
                "UPDATE desk_deed SET state = 'done', done_at = %s WHERE id = %s AND state = 'waiting'",
                [clock.real_now(), deed.pk],
            ):
                return
            wanted = _fresh(deed.order.number, deed.verb, deed.form)
            said = ACTS[deed.verb](deed.order.number, wanted, deed.actor)
            execute("UPDATE desk_deed SET message = %s WHERE id = %s", [mask_cards(said), deed.pk])
    except (InterfaceError, OperationalError):
        raise  # the database is away: the job comes again
    except SAYS_NO as error:
        close(deed, Deed.REFUSED, str(error))
    except Exception:
        log.exception("%s of %s", deed.verb, deed.order.number)
        close(deed, Deed.REFUSED, "an error of ours, which is in the log; nothing was changed")


def do_at_the_bank(deed: Deed) -> None:
    """The same for an act that calls the bank. After a worker's death it is done again: it knows what it has done."""
    again = deed.state == Deed.RUNNING
    if not again:
        with writing():
            if not execute("UPDATE desk_deed SET state = 'running' WHERE id = %s AND state = 'waiting'", [deed.pk]):
                return
    try:
        said = ACTS[deed.verb](deed.order.number, deed.form, deed.actor)
    except (InterfaceError, OperationalError):
        raise
    except StillAsking as error:
        close(deed, Deed.ASKED, str(error))
    except SAYS_NO as error:
        if again and _came_through(deed):
            close(deed, Deed.DONE, "done before the interruption")
        else:
            close(deed, Deed.REFUSED, str(error))
    except Exception:
        log.exception("%s of %s", deed.verb, deed.order.number)
        close(deed, Deed.ASKED, "an error of ours, which is in the log; look at the order")
    else:
        close(deed, Deed.DONE, said)


def _came_through(deed: Deed) -> bool:
    """Whether the worker that died had charged it already."""
    parts = Part.objects.filter(order_id=deed.order_id)
    return parts.exists() and not parts.exclude(money="charged", charged_by=deed.user.name).exists()


def close(deed: Deed, state: str, message: str) -> None:
    """Write down the result of an act that is open."""
    with writing():
        execute(
            "UPDATE desk_deed SET state = %s, message = %s, done_at = %s WHERE id = %s AND state IN "
            "('waiting', 'running')",
            [state, mask_cards(message)[:1000], clock.real_now(), deed.pk],
        )

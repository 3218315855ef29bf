"""Cancellation, and the amendments of an order: made, previewed, undone; its parts merged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from counterfoil.core.actor import CLERK, require
from counterfoil.core.api import Body, Bool, Int, Moment, Sku, Text, actor_of, answers, reply, router
from counterfoil.flow import amend
from counterfoil.records.orders.api import order_reply, readable
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Amendment
from counterfoil.records.orders.present import moment

flow: Router = router()


class CancelIn(Body):
    reason: Text


class AddressIn(Body):
    name: Text
    street: Text
    city: Text
    postcode: Text = ""
    state: Text | None = None
    country: Text


class ChangeIn(Body):
    kind: Literal["quantity", "drop", "add", "substitute", "price", "delivery", "address"]
    line: Sku | Int | None = None
    sku: Sku | None = None
    quantity: Int | None = None
    price: Int | None = None
    part: Int | None = None
    method: Text | None = None
    address: AddressIn | None = None


class ConsentIn(Body):
    how: Literal["telephone", "mail", "in_person", "not_needed"]
    who: Text | None = None
    at: Moment | None = None
    note: Text | None = None


class AmendmentIn(Body):
    changes: Annotated[list[ChangeIn], Field(max_length=100)]
    consent: ConsentIn | None = None
    version: Int | None = None
    preview: Bool | None = None


class UndoIn(Body):
    consent: ConsentIn | None = None
    version: Int | None = None
    preview: Bool | None = None


class MergeIn(Body):
    part: Int
    into: Int
    consent: ConsentIn | None = None
    version: Int | None = None
    preview: Bool | None = None


def amendment_json(made: Amendment) -> dict[str, Any]:
    return {
        "number": made.number,
        "kind": made.kind,
        "text": made.text,
        "changes": made.changes,
        "consent": made.consent,
        "before": made.before,
        "after": made.after,
        "refunded": made.money.get("refunded", 0),
        "due": made.money.get("due", 0),
        "undoes": made.undoes.number if made.undoes else None,
        "by": made.actor,
        "at": moment(made.at),
    }


def preview_json(drawn: amend.Preview) -> dict[str, Any]:
    return {
        "version": drawn.version,
        "text": drawn.text,
        "before": drawn.before,
        "after": drawn.after,
        "refunded": drawn.refunded,
        "due": drawn.due,
    }


def _agreed(consent: ConsentIn | None) -> dict[str, Any] | None:
    return consent.dict(exclude_none=True) if consent else None


@flow.post("/orders/{number}/cancellation", response=answers(200))
def post_cancellation(request: HttpRequest, number: str, body: CancelIn) -> HttpResponse:
    """Cancel an order; what was charged goes back by itself."""
    amend.cancel_order(order=number, reason=body.reason, actor=actor_of(request))
    return order_reply(request, find(number))


@flow.get("/orders/{number}/amendments", response=answers(200))
def get_amendments(request: HttpRequest, number: str) -> HttpResponse:
    """Everything that was changed on an order, the oldest first, each with the order before and after."""
    require(actor_of(request), CLERK)
    found = Amendment.objects.filter(order=readable(number, actor_of(request))).select_related("undoes")
    return reply({"amendments": [amendment_json(made) for made in found.order_by("number")]})


@flow.post("/orders/{number}/amendments", response=answers(200, 201))
def post_amendment(request: HttpRequest, number: str, body: AmendmentIn) -> HttpResponse:
    """Amend an order as its customer agreed; with `preview` nothing is changed, and `version` comes back to bind it."""
    changes = [c.dict(exclude_none=True) for c in body.changes]
    actor = actor_of(request)
    if body.preview:
        return reply(preview_json(amend.preview_amendment(order=number, actor=actor, changes=changes)))
    made = amend.amend_order(
        order=number, actor=actor, changes=changes, consent=_agreed(body.consent), version=body.version
    )
    return reply(amendment_json(made), 201)


@flow.post("/orders/{number}/amendments/{amendment}/undo", response=answers(200, 201))
def post_undo(request: HttpRequest, number: str, amendment: int, body: UndoIn) -> HttpResponse:
    """Undo the newest amendment by another one; money moves only by the balance."""
    actor, which = actor_of(request), min(max(amendment, 0), 30_000)
    if body.preview:
        return reply(preview_json(amend.preview_undo(order=number, number=which, actor=actor)))
    made = amend.undo_amendment(
        order=number, number=which, actor=actor, consent=_agreed(body.consent), version=body.version
    )
    return reply(amendment_json(made), 201)


@flow.post("/orders/{number}/merges", response=answers(200, 201))
def post_merge(request: HttpRequest, number: str, body: MergeIn) -> HttpResponse:
    """Bring two parts together again while neither is charged."""
    actor = actor_of(request)
    if body.preview:
        return reply(preview_json(amend.preview_merge(order=number, part=body.part, into=body.into, actor=actor)))
    made = amend.merge_parts(
        order=number, part=body.part, into=body.into, actor=actor, consent=_agreed(body.consent), version=body.version
    )
    return reply(amendment_json(made), 201)

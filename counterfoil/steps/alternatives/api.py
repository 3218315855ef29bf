"""Questions to the customer and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from counterfoil.core.actor import CLERK, require
from counterfoil.core.api import Body, Bool, Day, Int, Moment, Sku, Text, actor_of, answers, reply, router
from counterfoil.core.errors import Missing
from counterfoil.core.text import storable
from counterfoil.core.web import Limiter, address_of, problem
from counterfoil.records.orders.api import order_reply
from counterfoil.records.orders.load import find
from counterfoil.records.orders.models import Proposal
from counterfoil.records.orders.present import moment, proposal_json
from counterfoil.steps.alternatives import actions
from counterfoil.steps.alternatives.calls import record_call
from counterfoil.steps.alternatives.contacts import record_contact

alternatives = router()
answers_router = Router()  # no key: the token is the right
_tries = Limiter(60, 60)


class ChoiceIn(Body):
    kind: Literal["substitute", "expedite", "split", "later_date", "cancel", "as_is"]
    line: Sku | Int | None = None
    sku: Sku | None = None
    quantity: Int | None = None
    price: Int | None = None
    date: Day | None = None
    method: Text | None = None


class ProposalIn(Body):
    choices: Annotated[list[ChoiceIn], Field(max_length=50)]
    message: Text | None = None
    expires_at: Moment | None = None


class AnswerIn(Body):
    choice: Int | None = None
    decline: Bool | None = None


class TelephoneIn(Body):
    choice: Int | None = None
    decline: Bool | None = None
    spoken_to: Text | None = None


class ContactIn(Body):
    kind: Literal["call", "mail", "visit", "note"]
    text: Text
    direction: Literal["", "in", "out"] | None = None
    spoken_to: Text | None = None


class CallIn(Body):
    outcome: Literal["accepted", "declined", "no_answer", "call_back"]
    note: Text | None = None
    call_back_at: Moment | None = None
    choice: Int | None = None
    spoken_to: Text | None = None


def shown(asked: Proposal) -> dict[str, object]:
    """A proposal with the address at which the customer answers it."""
    return {**proposal_json(asked), "url": f"{settings.BASE_URL}/orders/{asked.order.token}#question"}


@alternatives.post("/orders/{number}/proposals", response=answers(201))
def post_proposal(request: HttpRequest, number: str, body: ProposalIn) -> HttpResponse:
    asked = actions.propose_alternatives(
        order=number,
        actor=actor_of(request),
        choices=[c.dict(exclude_none=True) for c in body.choices],
        message=body.message or "",
        expires_at=body.expires_at,
    )
    return reply(shown(asked), 201)


@alternatives.post("/orders/{number}/answers", response=answers(200))
def post_telephone_answer(request: HttpRequest, number: str, body: TelephoneIn) -> HttpResponse:
    """What the customer answered on the telephone, noted by a clerk; it returns after the order was amended."""
    asked = actions.note_answer(
        order=number,
        actor=actor_of(request),
        choice=body.choice,
        decline=bool(body.decline),
        spoken_to=body.spoken_to or "",
    )
    return reply(shown(Proposal.objects.select_related("order").get(pk=asked.pk)))


@alternatives.delete("/orders/{number}/proposals/{token}", response={**answers(), 204: None})
def delete_proposal(request: HttpRequest, number: str, token: str) -> HttpResponse:
    """Take a question back before it is answered; the customer is told. Twice changes nothing."""
    require(actor_of(request), CLERK)
    if not storable(token) or not Proposal.objects.filter(order__number=number, token=token).exists():
        raise Missing("there is no such question")
    actions.withdraw_proposal(token=token, actor=actor_of(request))
    return HttpResponse(status=204)


@alternatives.post("/orders/{number}/contacts", response=answers(201))
def post_contact(request: HttpRequest, number: str, body: ContactIn) -> HttpResponse:
    """A call, mail, visit or note, written down on the order's timeline; it moves nothing."""
    made = record_contact(
        order=number,
        actor=actor_of(request),
        kind=body.kind,
        text=body.text,
        direction=body.direction or "",
        spoken_to=body.spoken_to or "",
    )
    said = {"kind": made.kind, "direction": made.direction or None, "spoken_to": made.spoken_to or None}
    return reply({"id": made.pk, **said, "text": made.text, "by": made.actor, "at": moment(made.at)}, 201)


@alternatives.post("/orders/{number}/calls", response=answers(201))
def post_call(request: HttpRequest, number: str, body: CallIn) -> HttpResponse:
    """What the customer said on the telephone to our open question, or about a day that misses theirs."""
    record_call(
        order=number,
        actor=actor_of(request),
        outcome=body.outcome,
        note_text=body.note or "",
        call_back_at=body.call_back_at,
        choice=body.choice,
        spoken_to=body.spoken_to or "",
    )
    return order_reply(request, find(number), 201)


@answers_router.post("/proposals/{token}/answer", response=answers(200), auth=None)
def post_answer(request: HttpRequest, token: str, body: AnswerIn) -> HttpResponse:
    """The customer's answer; it returns after the order was amended."""
    if not _tries.allows(address_of(request)):
        return problem(429, "too many answers from here; try again in a minute")
    if not storable(token):
        raise Missing("there is no such question")
    asked = actions.answer_proposal(token=token, choice=body.choice, decline=bool(body.decline))
    return reply(shown(Proposal.objects.select_related("order").get(pk=asked.pk)))

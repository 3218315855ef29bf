"""Asking the customer, and keeping their answer."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string

from counterfoil.core import clock
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.models import Job, JournalEvent
from counterfoil.records.orders.models import Order, Proposal
from counterfoil.steps.alternatives.actions import (
    answer_proposal,
    expire_proposals,
    propose_alternatives,
    withdraw_proposal,
)
from counterfoil.steps.alternatives.kinds import say_day
from counterfoil.steps.alternatives.tests.build import ANN, PAT, order, product

pytestmark = pytest.mark.django_db
LATER: list[dict[str, Any]] = [{"kind": "expedite", "method": "Express"}, {"kind": "cancel"}]


def ask(found: Order, choices: list[dict[str, Any]] | None = None, **more: Any) -> Proposal:
    return propose_alternatives(order=found.number, actor=ANN, choices=choices or LATER, **more)


def syrah() -> Order:
    return order((product("SYRAH-2019"), 6))


def kinds(found: Order) -> list[str]:
    return list(JournalEvent.objects.filter(subject=found.number).order_by("id").values_list("kind", flat=True))


def mails(kind: str) -> list[dict[str, Any]]:
    found = [j.payload for j in Job.objects.filter(name="mail.send")]
    loaded = [p if isinstance(p, dict) else json.loads(p) for p in found]
    return [p for p in loaded if p["kind"] == kind]


def test_the_customer_reads_each_choice_with_its_price() -> None:
    found = syrah()
    asked = ask(found, message="The 2019 is sold out.")
    mail = mails("question")[0]
    assert mail["to"] == found.email
    assert mail["context"]["url"].endswith(f"/orders/{found.token}#question")
    ships = asked.choices[0]["date"]
    assert ships
    assert mail["context"]["choices"][0] == {
        "text": f"Express delivery instead of Ground, $20.00 more, ships {say_day(date.fromisoformat(ships))}",
        "price": "$20.00 more with tax: your total becomes $193.40",
        "kept": "",
    }
    assert asked.expires_at - asked.made_at == timedelta(days=7)
    assert len(asked.token) == 43


def test_the_question_reads_well_in_text_and_in_html() -> None:
    ask(syrah(), message="The 2019 is <gone>.")
    context = mails("question")[0]["context"]
    text = " ".join(render_to_string("mail/question.txt", context).split())
    assert re.search(
        r"1\. Express delivery instead of Ground, \$20\.00 more, ships [\w ]+ \$20\.00 more with tax", text
    )
    assert "2. Cancel the order; nothing is charged" in text
    html = render_to_string("mail/question.html", context)
    assert "The 2019 is &lt;gone&gt;." in html
    assert "#question" in html


def test_only_one_question_is_open_at_a_time() -> None:
    found = syrah()
    ask(found)
    with pytest.raises(Refused) as caught:
        ask(found)
    assert [b.code for b in caught.value.blockers] == ["question_open"]
    assert Proposal.objects.filter(order=found).count() == 1


def test_a_wrong_choice_asks_nobody() -> None:
    found = syrah()
    with pytest.raises(Invalid, match=r"choices\.1\.sku"):
        ask(found, [{"kind": "cancel"}, {"kind": "substitute", "sku": "NONE"}])
    with pytest.raises(Invalid, match=r"choices\.0\.sku"):
        ask(found, [{"kind": "substitute", "sku": "N\x00"}])
    with pytest.raises(Invalid, match="message"):
        ask(found, message="N\x00")
    with pytest.raises(Invalid, match="future"):
        ask(found, expires_at=clock.business_now())
    assert not Proposal.objects.exists()
    assert mails("question") == []


def test_a_picker_does_not_write_to_customers() -> None:
    found = syrah()
    with pytest.raises(Forbidden):
        propose_alternatives(order=found.number, actor=PAT, choices=LATER)


def test_a_choice_is_kept_with_who_and_how() -> None:
    asked = ask(syrah())
    answered = answer_proposal(token=asked.token, choice=0, via="phone", actor=ANN)
    assert (answered.state, answered.choice, answered.answered_via) == ("accepted", 0, "phone, Ann")
    event = JournalEvent.objects.get(kind="proposal_accepted")
    assert event.data == {"proposal": asked.pk, "choice": 0}


def test_the_same_answer_again_changes_nothing() -> None:
    asked = ask(syrah())
    first = answer_proposal(token=asked.token, decline=True)
    again = answer_proposal(token=asked.token, decline=True)
    assert (again.state, again.answered_at) == ("declined", first.answered_at)
    assert kinds(asked.order).count("proposal_declined") == 1


def test_another_answer_comes_too_late() -> None:
    asked = ask(syrah())
    answer_proposal(token=asked.token, decline=True)
    with pytest.raises(Refused, match="was answered on"):
        answer_proposal(token=asked.token, choice=0)


def test_after_its_time_a_question_takes_no_answer_and_is_closed() -> None:
    asked = ask(syrah())
    with clock.at(asked.expires_at + timedelta(seconds=1)), pytest.raises(Refused, match="until"):
        answer_proposal(token=asked.token, choice=0)
    asked.refresh_from_db()
    assert (asked.state, asked.choice) == ("expired", None)


def test_only_an_overdue_question_expires_and_once() -> None:
    asked = ask(syrah())
    assert not expire_proposals(order=asked.order.number)
    with clock.at(asked.expires_at):
        assert expire_proposals(order=asked.order.number)
        assert not expire_proposals(order=asked.order.number)
    assert kinds(asked.order).count("proposal_expired") == 1


def test_a_withdrawn_question_takes_no_answer() -> None:
    asked = ask(syrah())
    assert withdraw_proposal(token=asked.token, actor=ANN).state == "withdrawn"
    assert withdraw_proposal(token=asked.token, actor=ANN).state == "withdrawn"
    assert kinds(asked.order).count("proposal_withdrawn") == 1
    with pytest.raises(Refused) as caught:
        answer_proposal(token=asked.token, choice=0)
    assert caught.value.blockers[0].by == "Ann"
    ask(asked.order)


def test_a_guessed_token_opens_nothing() -> None:
    ask(syrah())
    for guess in ("", "x", "A" * 43, "\x00" * 43, "é" * 43):
        with pytest.raises(Missing):
            answer_proposal(token=guess, choice=0)


def test_an_answer_is_one_of_the_choices() -> None:
    asked = ask(syrah())
    for choice, decline in ((2, False), (-1, False), (None, False), (0, True)):
        with pytest.raises(Invalid):
            answer_proposal(token=asked.token, choice=choice, decline=decline)
    asked.refresh_from_db()
    assert asked.state == "open"

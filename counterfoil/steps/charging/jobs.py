"""Charging's work by job: shells around its actions."""

from __future__ import annotations

from typing import Any

from counterfoil.core import jobs
from counterfoil.core.actor import SYSTEM, Actor
from counterfoil.core.db import writing
from counterfoil.core.errors import Refused
from counterfoil.records.orders.load import find, take
from counterfoil.steps.charging import actions, cards, webhooks
from counterfoil.steps.charging.letters import owe_pay_mail
from counterfoil.steps.charging.reach import patient


@jobs.handler("charging.save_card", lease=90, max_attempts=30)
@patient
def save_card(payload: dict[str, Any]) -> None:
    actions.save_card(order=payload["order"])


@jobs.handler("charging.send", lease=90, max_attempts=60)
@patient
def send(payload: dict[str, Any]) -> None:
    if not actions.send_charge(int(payload["charge"])):
        raise jobs.Later(5, "the bank has not answered yet")


@jobs.handler("charging.asked", lease=120, max_attempts=60)
@patient
def asked(payload: dict[str, Any]) -> None:
    given = {name: payload[name] for name in ("order", "part", "due")}
    actions.follow_charge(**given, actor=Actor(**payload["actor"]))


@jobs.handler("charging.authorise", lease=90, max_attempts=60)
@patient
def authorise(payload: dict[str, Any]) -> None:
    for hold in actions.begin_holds(order=payload["order"], actor=SYSTEM, only_wanted=True):
        actions.send_charge(hold.pk)


@jobs.handler("charging.look_at_hold", lease=90, max_attempts=60)
@patient
def look_at_hold(payload: dict[str, Any]) -> None:
    actions.look_at_holds(order=payload["order"])


@jobs.handler("charging.release", lease=90, max_attempts=60)
@patient
def release(payload: dict[str, Any]) -> None:
    actions.release_holds(order=payload["order"])


@jobs.handler("charging.refund", lease=90, max_attempts=60)
@patient
def refund(payload: dict[str, Any]) -> None:
    actions.send_refund(refund_id=int(payload["refund"]))


@jobs.handler("charging.withdraw", lease=120, max_attempts=60)
@patient
def withdraw(payload: dict[str, Any]) -> None:
    actions.withdraw_order(order=payload["order"])


@jobs.handler("charging.close_link", lease=90, max_attempts=30)
@patient
def close_link(payload: dict[str, Any]) -> None:
    actions.close_link(link_id=int(payload["link"]))


@jobs.handler("charging.look_link", lease=90, max_attempts=60)
@patient
def look_link(payload: dict[str, Any]) -> None:
    cards.look_at_link(link_id=int(payload["link"]))


@jobs.handler("charging.close_pages", lease=90, max_attempts=30)
@patient
def close_pages(payload: dict[str, Any]) -> None:
    cards.close_links(find(payload["order"]))


@jobs.handler("charging.expire_checkout", lease=120, max_attempts=60)
@patient
def expire_checkout(payload: dict[str, Any]) -> None:
    actions.expire_checkout(order=payload["order"])


@jobs.handler("charging.pay_mail")
def pay_mail(payload: dict[str, Any]) -> None:
    with writing():
        owe_pay_mail(take(payload["order"]), key=payload["key"])


@jobs.handler("charging.retry", lease=120, max_attempts=60)
def retry(payload: dict[str, Any]) -> None:
    actions.retry_charge(order=payload["order"])


@jobs.handler("charging.let_go", lease=120, max_attempts=60)
def let_go(payload: dict[str, Any]) -> None:
    actions.let_go(order=payload["order"])


@jobs.handler("charging.reconcile", lease=600, max_attempts=60)
@patient
def reconcile(_payload: dict[str, Any]) -> None:
    actions.reconcile()


@jobs.handler("charging.balance", lease=300, max_attempts=60)
@patient
def balance(_payload: dict[str, Any]) -> None:
    actions.look_at_balance()


@jobs.handler("charging.answer", lease=90, max_attempts=60)
@patient
def answer(payload: dict[str, Any]) -> None:
    try:
        actions.send_answer(int(payload["dispute"]))
    except Refused:
        # The bank does not take it: the dispute waits for another answer, and its order says so.
        return


@jobs.handler("charging.inbox", lease=90, max_attempts=60)
@patient
def inbox(payload: dict[str, Any]) -> None:
    webhooks.handle(payload["event"])

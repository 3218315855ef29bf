"""Twenty seconds in which what was said can be taken back; and acts on many orders, with a result for each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from counterfoil.core import clock, jobs
from counterfoil.core.db import writing
from counterfoil.core.models import Job, JournalEvent
from counterfoil.core.shop import Shop, shop
from counterfoil.desk import doing, queries
from counterfoil.desk.acts import ACTS
from counterfoil.desk.jobs import deed as deed_job
from counterfoil.desk.jobs import run as run_job
from counterfoil.desk.models import Deed, Run
from counterfoil.desk.tests.build import ANN, at_the_desk, order, person, product
from counterfoil.flow.staff import switch_off
from counterfoil.records.orders.models import Order, Proposal
from counterfoil.steps.alternatives.actions import propose_alternatives
from counterfoil.steps.review.actions import hold_order

pytestmark = pytest.mark.django_db
SECONDS = Shop().undo_seconds


@pytest.fixture(autouse=True)
def _waits(monkeypatch: pytest.MonkeyPatch) -> None:
    product("A", on_hand=500)
    monkeypatch.setattr(doing, "undo_seconds", lambda: SECONDS)


def _soon() -> str:
    return (shop().today() + timedelta(days=1)).isoformat()


def _approve(desk: Client, made: Order) -> Deed:
    form = {"ship_estimate": _soon(), "version": made.version, "next": "/desk/queues/review"}
    assert desk.post(f"/desk/orders/{made.number}/acts/approve", form).status_code == 303
    return Deed.objects.get(order=made, state="waiting")


def _time_passes() -> None:
    """Until what waits is due."""
    Job.objects.filter(name__startswith="desk.").update(run_at=clock.real_now())
    jobs.drain(only=("desk",))


def test_an_approval_waits_is_in_no_list_and_goes_out_once() -> None:
    desk, first, second = at_the_desk("clerk"), order(("A", 1)), order(("A", 1))
    deed = _approve(desk, first)
    assert SECONDS - 2 < (deed.due_at - clock.real_now()).total_seconds() <= SECONDS
    assert Order.objects.get(pk=first.pk).review == "pending"
    assert not JournalEvent.objects.filter(subject=first.number, kind="order_approved").exists()
    page = desk.get("/desk/queues/review").content.decode()
    assert f'data-page="/desk/orders/{first.number}"' not in page
    assert f'data-page="/desk/orders/{second.number}"' in page
    assert f"{first.number}: approval goes out in" in page, "the toast stays across pages"
    assert '<span class="count">1' in page
    assert "approval by" in desk.get(f"/desk/orders/{first.number}").content.decode().lower()
    _time_passes()
    deed_job({"deed": deed.pk})  # the job comes twice
    assert Order.objects.get(pk=first.pk).review == "approved"
    assert JournalEvent.objects.filter(subject=first.number, kind="order_approved").count() == 1
    assert "goes out in" not in desk.get("/desk/queues/review").content.decode()


def test_undo_takes_it_back_and_comes_too_late_only_after_it_went() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    deed = _approve(desk, made)
    assert at_the_desk("picker").post(f"/desk/deeds/{deed.pk}/undo").status_code == 403
    desk.post(f"/desk/deeds/{deed.pk}/undo", {"next": "/desk/queues/review"})
    assert "Undone: approval of" in desk.get("/desk/queues/review").content.decode()
    assert not Job.objects.filter(name="desk.deed").exists()
    deed_job({"deed": deed.pk})
    assert Order.objects.get(pk=made.pk).review == "pending"
    again = _approve(desk, Order.objects.get(pk=made.pk))
    _time_passes()
    desk.post(f"/desk/deeds/{again.pk}/undo", {"next": "/desk/queues/review"})
    assert "too late" in desk.get("/desk/queues/review").content.decode()
    assert Order.objects.get(pk=made.pk).review == "approved"


def test_a_question_taken_back_waits_and_so_does_a_release_that_may_take_one_back() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    acts = f"/desk/orders/{made.number}/acts"
    asked = propose_alternatives(order=made.number, actor=ANN, choices=[{"kind": "cancel"}])
    desk.post(f"{acts}/withdraw", {"token": asked.token})
    assert f"{made.number}: withdrawal of the question goes out in" in desk.get("/desk/stock").content.decode()
    desk.post(f"/desk/deeds/{Deed.objects.get().pk}/undo")
    asked.refresh_from_db()
    assert asked.state == "open"
    for _ in range(2):
        hold = hold_order(order=made.number, reason="ring them", actor=ANN)
        desk.post(f"{acts}/release", {"hold": hold.pk})
        if Proposal.objects.filter(state="open").exists():
            assert Deed.objects.filter(verb="release", state="waiting").exists()
            _time_passes()
            desk.post(f"{acts}/withdraw", {"token": asked.token})
            _time_passes()
        hold.refresh_from_db()
        assert hold.released_at is not None
    asked.refresh_from_db()
    assert asked.state == "withdrawn"
    assert list(Deed.objects.order_by("pk").values_list("verb", "state")) == [
        ("withdraw", "undone"), ("release", "done"), ("withdraw", "done"),
    ]  # fmt: skip


def test_who_is_refused_after_the_wait_is_told_until_they_have_seen_it() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    _approve(desk, made)
    desk.post(f"/desk/orders/{made.number}/acts/hold", {"reason": "ring them first"})
    _time_passes()
    deed = Deed.objects.get()
    assert deed.state == "refused"
    for address in ("/desk/stock", f"/desk/orders/{made.number}"):
        assert "Ann has just worked on" in desk.get(address).content.decode(), address
    assert made.number in [o.number for o in queries.queue_page("review")[0]], "it is in its list again"
    desk.post(f"/desk/deeds/{deed.pk}/seen")
    assert "did not go out" not in desk.get("/desk/stock").content.decode()


def test_what_somebody_set_going_who_was_switched_off_meanwhile_does_not_go_out() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    deed = _approve(desk, made)
    switch_off(actor=person().actor, user_id=deed.user_id)
    _time_passes()
    deed.refresh_from_db()
    assert (deed.state, Order.objects.get(pk=made.pk).review) == (Deed.REFUSED, "pending")
    assert "is switched off" in deed.message
    at_the_desk("picker").post(f"/desk/deeds/{deed.pk}/seen")
    deed.refresh_from_db()
    assert not deed.seen, "it is told to whom it concerns"


def test_what_would_be_refused_now_is_refused_now_and_a_wrong_field_is_told_at_once() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    past = {"ship_estimate": "2020-01-01"}
    assert desk.post(f"/desk/orders/{made.number}/acts/approve", past).status_code == 422
    _approve(desk, made)
    twice = desk.post(f"/desk/orders/{made.number}/acts/cancel", {"reason": "they rang"})
    assert twice.status_code == 409
    assert "is going out; undo it first" in twice.content.decode()
    assert Deed.objects.count() == 1
    assert Order.objects.get(pk=made.pk).version == made.version, "a rehearsal leaves nothing behind"


def test_a_crash_in_the_act_leaves_it_waiting_and_the_next_worker_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = order(("A", 1))
    deed = _approve(at_the_desk("clerk"), made)

    def die(*_: object, **__: object) -> str:
        raise SystemExit  # as good as a kill: nothing after it runs

    with monkeypatch.context() as patch:
        patch.setitem(ACTS, "approve", die)
        with pytest.raises(SystemExit):
            deed_job({"deed": deed.pk})
    assert Deed.objects.get().state == "waiting"
    _time_passes()
    assert Order.objects.get(pk=made.pk).review == "approved"


def test_what_only_we_wrote_meanwhile_is_no_reason_and_a_persons_work_is() -> None:
    desk, made = at_the_desk("clerk"), order(("A", 1))
    deed = _approve(desk, made)
    with writing():
        Order.objects.filter(pk=made.pk).update(version=made.version + 3)  # our own looking after it
    _time_passes()
    deed.refresh_from_db()
    assert deed.state == "done"
    other = order(("A", 1))
    desk.post(f"/desk/orders/{other.number}/acts/hold", {"reason": "x"})
    hold = {"hold": other.holds.get().pk}
    desk.post(f"/desk/orders/{other.number}/acts/release", hold)
    stale = {"ship_estimate": _soon(), "version": other.version}
    refused = desk.post(f"/desk/orders/{other.number}/acts/approve", stale)
    assert refused.status_code == 409
    assert "has just worked on" in refused.content.decode()


def test_a_card_number_typed_into_an_act_that_waits_is_kept_nowhere() -> None:
    made = order(("A", 1))
    form = {"reason": "paid with 4242 4242 4242 4242", "odd": "what no database keeps: \x00"}
    assert at_the_desk().post(f"/desk/orders/{made.number}/acts/cancel", form).status_code == 303
    kept = Deed.objects.get()
    assert kept.form == {"reason": "paid with •••• 4242"}


# --- many at once ---------------------------------------------------------------------------------------------------


def test_a_run_gives_each_order_its_own_date_and_survives_its_worker() -> None:
    orders = [order(("A", 1)) for _ in range(6)]
    desk = at_the_desk("clerk")
    asked = desk.post("/desk/queues/review/acts", {"all": "yes"}).content.decode()
    assert asked.count('name="order"') == 6
    assert f'value="{orders[0].number}~' in asked, "each with its own date"
    own = (shop().today() + timedelta(days=9)).isoformat()
    numbers = [f"{orders[0].number}~{own}", *(o.number for o in orders[1:])]
    desk.post(f"/desk/orders/{orders[1].number}/acts/hold", {"reason": "odd address"})
    begun = desk.post("/desk/queues/review/acts", {"order": numbers, "sure": "yes"})
    assert begun["Location"].startswith("/desk/runs/")
    waiting = desk.get(begun["Location"]).content.decode()
    assert "0 of 6 orders" in waiting
    assert "hx-trigger" in waiting
    assert queries.queue_page("review")[0] == []
    run = Run.objects.get()
    deed_job({"deed": Deed.objects.filter(run=run).order_by("id")[0].pk})  # a worker dies after the first row
    _time_passes()
    run_job({"run": run.pk})
    page = desk.get(begun["Location"]).content.decode()
    assert "5 of 6 orders done" in page
    assert "odd address" in page
    assert "hx-trigger" not in page
    approved = JournalEvent.objects.filter(kind="order_approved")
    assert approved.count() == 5
    assert approved.get(subject=orders[0].number).data == {"ship_estimate": own}


def test_a_run_can_be_undone_before_it_begins_and_takes_no_order_that_waits_already() -> None:
    orders = [order(("A", 1)) for _ in range(3)]
    desk = at_the_desk("clerk")
    _approve(desk, orders[0])
    begun = desk.post("/desk/queues/review/acts", {"order": [o.number for o in orders], "sure": "yes"})
    page = desk.get(begun["Location"]).content.decode()
    assert "is going out" in page
    desk.post(f"{begun['Location']}/stop")
    _time_passes()
    states = sorted(Deed.objects.filter(run__isnull=False).values_list("state", flat=True))
    assert states == ["refused", "undone", "undone"]
    assert Order.objects.filter(review="approved").count() == 1


def test_nobody_begins_a_run_of_somebody_elses_work() -> None:
    made = order(("A", 1))
    ticked = {"order": made.number, "sure": "yes"}
    assert at_the_desk("picker").post("/desk/queues/review/acts", ticked).status_code == 403
    assert at_the_desk("clerk").post("/desk/queues/review/acts", {**ticked, "verb": "refund"}).status_code == 404
    assert not Run.objects.exists()

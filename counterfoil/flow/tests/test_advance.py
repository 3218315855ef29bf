"""`advance` may run at any time and any number of times; no wake-up is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from counterfoil.core import clock, jobs, journal
from counterfoil.core.db import execute, writing
from counterfoil.core.models import Document, Job, JournalEvent
from counterfoil.core.shop import shop
from counterfoil.flow.advance import advance, sweep
from counterfoil.flow.map import derive
from counterfoil.flow.verify import states, units
from counterfoil.records.orders.load import facts_of, take
from counterfoil.records.orders.models import Hold, Order
from tests.crowd import together, worked
from tests.support import Api, order_body, product


def stands_where_it_should(number: str) -> None:
    order = Order.objects.get(number=number)
    want = derive(facts_of(order))
    assert (order.status, order.queue, order.next_action) == (want.status, want.queue, want.next_action)
    assert order.blockers == [b.as_json() for b in want.blockers]


def placed(api: Api, quantity: int = 2, *, card: str | None = None) -> str:
    return str(api.done("/orders", order_body(("PINOT-21", quantity), card=card))["number"])


def approve(api: Api, number: str) -> None:
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})


@pytest.fixture
def api(db: None) -> Api:
    made = Api()
    product(made, stock=500)
    return made


@pytest.mark.django_db
class TestAlone:
    def test_every_writer_makes_a_version_of_its_own(self, api: Api) -> None:
        number = placed(api)
        seen = []
        for _ in range(3):
            with writing():
                seen.append(take(number).version)
        assert [v - seen[0] for v in seen] == [0, 1, 2]

    def test_advancing_again_changes_nothing_but_the_version(self, api: Api) -> None:
        number = placed(api)
        approve(api, number)
        before = (api.order(number) | {"version": 0}, JournalEvent.objects.count(), Document.objects.count())
        for _ in range(3):
            advance(number)
        assert (api.order(number) | {"version": 0}, JournalEvent.objects.count(), Document.objects.count()) == before

    def test_a_process_that_dies_after_the_act_leaves_the_rest_to_a_worker(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        number = placed(api)
        with monkeypatch.context() as dead:
            dead.setattr(journal, "_advance_now", None)
            approve(api, number)
        assert Order.objects.get(number=number).queue == "review"
        assert Job.objects.filter(name="flow.advance", state="queued").count() == 1
        execute("UPDATE core_job SET run_at = %s", [clock.real_now() - timedelta(seconds=1)])
        jobs.drain(only=("flow",))
        assert api.order(number)["queue"] == "pick"
        assert Document.objects.filter(subject=number, kind="sales-order").count() == 1

    def test_midnight_alone_moves_what_was_promised_for_yesterday(self, api: Api) -> None:
        api.done("/suppliers", {"name": "Northfold"})
        product(api, "SYRAH-19", supplier="Northfold", cost=1200)
        number = str(api.done("/orders", order_body(("SYRAH-19", 2)))["number"])
        execute("UPDATE orders_order SET card_state = 'saved'")
        approve(api, number)
        bought = api.done("/purchase-orders", {"supplier": "Northfold", "lines": [{"sku": "SYRAH-19", "quantity": 2}]})
        confirmed = (shop().today() + timedelta(days=20)).isoformat()
        api.done(f"/purchase-orders/{bought['number']}/confirmation", {"expected": confirmed})
        jobs.drain(only=("flow", "sourcing"))
        assert Order.objects.get(number=number).queue == "promise"
        with clock.at(clock.business_now() + timedelta(days=19)):
            assert Order.objects.filter(number=number, next_check_at__lt=clock.business_now()).exists()
            assert sweep() == 1
            assert Order.objects.get(number=number).queue == "charge"
            assert sweep() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
class TestTogether:
    def test_whatever_many_do_to_one_order_at_once_its_queue_is_true_in_the_end(self) -> None:
        api = Api()
        product(api, stock=500)
        clerks = [Api("clerk", f"Clerk {n}") for n in range(6)]
        for _ in range(3):
            number = placed(api)

            def act(n: int, number: str = number) -> None:
                clerk = clerks[n]
                if n == 0:
                    clerk.post(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
                elif n == 1:
                    for _ in range(4):
                        advance(number)
                elif n == 2:
                    jobs.drain(worker="w", only=("flow",))
                else:
                    for _ in range(3):
                        hold = clerk.post(f"/orders/{number}/holds", {"reason": "wait"})
                        assert hold.status == 201, hold.body
                        gone = clerk.ask("DELETE", f"/orders/{number}/holds/{hold.body['id']}")
                        assert gone.status == 204

            worked(together(6, act))
            # Not a single job more: each act's own advance has seen all there is.
            stands_where_it_should(number)
            assert not Hold.objects.filter(released_at=None).exists()
            held = list(JournalEvent.objects.filter(subject=number).order_by("id").values_list("version", flat=True))
            assert held == sorted(held), "the journal is in the order of the writers"
        execute("UPDATE core_job SET run_at = %s WHERE name = 'flow.advance'", [clock.real_now()])
        jobs.drain(only=("flow",))
        assert states.replay() == states.queues() == units.lines() == []

    def test_many_who_advance_one_order_make_one_sales_order_and_one_pick_list(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        api = Api()
        product(api, stock=500)
        number = placed(api)
        with monkeypatch.context() as dead:
            dead.setattr(journal, "_advance_now", None)
            approve(api, number)
        worked(together(8, lambda n: advance(number)))
        assert api.order(number)["queue"] == "pick"
        kinds = sorted(Document.objects.filter(subject=number).values_list("kind", flat=True))
        assert kinds == ["pick-list", "sales-order", "sales-order-copy", "web-order"]
        stands_where_it_should(number)

    def test_acts_on_many_orders_of_the_same_wines_lock_nobody_out(self) -> None:
        api = Api()
        product(api, "PINOT-21", stock=30)
        product(api, "SYRAH-19", stock=30)
        pairs = [(("PINOT-21", 1), ("SYRAH-19", 1)), (("SYRAH-19", 1), ("PINOT-21", 1))]
        numbers = [str(api.done("/orders", order_body(*pairs[n % 2], card=None))["number"]) for n in range(12)]

        def act(n: int) -> int:
            if n % 3 == 0:
                return api.post(f"/orders/{numbers[n]}/cancellation", {"reason": "changed their mind"}).status
            return api.post(f"/orders/{numbers[n]}/approval", {"ship_estimate": shop().today().isoformat()}).status

        assert set(worked(together(12, act))) == {200}
        settle_flow()
        for number in numbers:
            stands_where_it_should(number)
        assert units.balances() == units.lines() == states.replay() == []


def settle_flow() -> None:
    execute("UPDATE core_job SET run_at = %s WHERE name <> 'mail.send'", [clock.real_now()])
    jobs.drain(only=("flow", "sourcing"))

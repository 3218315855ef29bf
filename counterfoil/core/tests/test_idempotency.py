"""`Idempotency-Key`: the first answer is the answer, for a day, if it was a good one."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from counterfoil.core import clock
from counterfoil.core.access.keys import make_key
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.idempotency import LIFE, STALE, IdempotencyMiddleware, body_hash
from tests.crowd import together, worked
from tests.support import Api, product

PATH = "/api/v1/somewhere"


class Door:
    """The API behind the middleware: answers what it is told, and counts."""

    def __init__(self, *statuses: int) -> None:
        self.key = make_key("shop", "owner")
        self.statuses = list(statuses)
        self.asked = 0
        self.inside: Any = None
        self._middleware = IdempotencyMiddleware(self._answer)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        turn = self.asked
        if self.inside:
            self.inside()
        status = self.statuses.pop(0) if self.statuses else 201
        return HttpResponse(f'{{"asked": {turn}}}', status=status, content_type="application/json")

    def post(self, body: str = "{}", *, key: str = "k1", path: str = PATH, bearer: str = "") -> HttpResponse:
        request = RequestFactory().post(
            path,
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer or self.key}", "Idempotency-Key": key},
        )
        return self._middleware(request)


@pytest.fixture
def door(db: None) -> Door:
    return Door()


def grow_old(by: timedelta) -> None:
    execute("UPDATE core_idempotencykey SET created_at = %s", [clock.real_now() - by])


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_the_same_again_gets_the_same_answer_and_nothing_is_done(self, door: Door) -> None:
        first, again = door.post(), door.post()
        assert (again.status_code, again.content) == (201, first.content)
        assert again["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first
        assert door.asked == 1

    def test_another_body_under_the_key_is_refused(self, door: Door) -> None:
        door.post("{}")
        assert door.post('{"other": 1}').status_code == 422
        assert door.asked == 1

    def test_a_key_belongs_to_its_holder_and_its_path(self, door: Door) -> None:
        door.post()
        door.post(path="/api/v1/elsewhere")
        door.post(bearer=make_key("another shop", "owner"))
        assert door.asked == 3

    def test_for_a_stranger_nothing_is_written_down(self, door: Door) -> None:
        held: list[int] = []
        door.inside = lambda: held.append(len(rows("SELECT 1 FROM core_idempotencykey")))
        door.post(bearer="cf_nobody")
        door.post(bearer="cf_nobody", path="/api/v1/proposals/a-token/answer")
        door.post()
        assert held == [0, 1, 2], "whoever has a question's token is none"

    @pytest.mark.parametrize("status", [202, 400, 402, 404, 409, 422, 500, 503])
    def test_only_a_final_good_answer_is_kept(self, status: int) -> None:
        door = Door(status, 201)
        assert door.post().status_code == status
        assert door.post().status_code == 201
        assert door.asked == 2
        assert door.post().content == b'{"asked": 2}'

    def test_a_request_that_breaks_frees_its_key(self, door: Door) -> None:
        def break_down() -> None:
            raise KeyError

        door.inside = break_down
        with pytest.raises(KeyError):
            door.post()
        door.inside = None
        assert door.post().status_code == 201

    def test_a_key_is_forgotten_after_a_day(self, door: Door) -> None:
        door.post()
        grow_old(LIFE - timedelta(minutes=1))
        assert door.post().content == b'{"asked": 1}'
        grow_old(LIFE + timedelta(minutes=1))
        assert door.post('{"other": 1}').status_code == 201
        assert door.asked == 2

    @pytest.mark.parametrize("key", ["x" * 256, "a\x07b"])
    def test_a_key_that_is_none_is_named(self, door: Door, key: str) -> None:
        assert door.post(key=key).status_code == 422
        assert door.asked == 0


@pytest.mark.django_db
class TestRunning:
    def running(self, door: Door) -> None:
        holder = rows("SELECT id FROM access_apikey")[0][0]
        with writing():
            execute(
                "INSERT INTO core_idempotencykey (scope, path, key, body_sha256, status, answer, created_at) "
                "VALUES (%s, %s, 'k1', %s, 0, '', %s)",
                [f"key:{holder}", PATH, body_hash(b"{}"), clock.real_now()],
            )

    def test_while_the_first_is_running_the_second_waits_outside(self, door: Door) -> None:
        self.running(door)
        assert door.post().status_code == 409
        assert door.asked == 0

    def test_the_key_of_a_request_that_died_can_be_used_again(self, door: Door) -> None:
        self.running(door)
        grow_old(STALE + timedelta(seconds=1))
        assert door.post().status_code == 201
        assert door.post().content == b'{"asked": 1}'

    @pytest.mark.parametrize("late", [201, 500])
    def test_a_request_that_was_given_up_neither_overwrites_nor_frees_its_heirs_key(
        self, door: Door, late: int
    ) -> None:
        """It runs for longer than anybody thought, another takes over, and then it comes back."""

        def take_long() -> None:
            door.inside = None
            execute("DELETE FROM core_idempotencykey")
            self.running(door)  # the heir, who has not finished either

        door.inside = take_long
        door.statuses = [late]
        assert door.post().status_code == late
        assert rows("SELECT status, answer FROM core_idempotencykey") == [(0, "")]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_many_at_once_one_does_the_work(settings: Any) -> None:
    door = Door()
    go_on = threading.Event()
    door.inside = lambda: go_on.wait(10)

    def act(n: int) -> int:
        if n == 9:
            threading.Timer(0.3, go_on.set).start()
        return door.post().status_code

    answers = worked(together(10, act))
    assert door.asked == 1
    assert sorted(answers).count(201) >= 1
    assert set(answers) <= {201, 409}
    assert door.post().content == b'{"asked": 1}'


@pytest.mark.django_db
def test_a_booking_is_entered_once_under_its_key() -> None:
    api = Api()
    product(api, "PINOT-21")
    body = {"sku": "PINOT-21", "quantity": 6, "reason": "found in the cellar"}
    first = api.post("/stock", body, Idempotency_Key="cellar-1")
    again = api.post("/stock", body, Idempotency_Key="cellar-1")
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert api.get("/products/PINOT-21").body["on_hand"] == 6
    assert api.post("/stock", {**body, "quantity": 7}, Idempotency_Key="cellar-1").status == 422

"""`Idempotency-Key` when the process dies in between: work that was done is never done again unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from counterfoil.core import clock, idempotency
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.idempotency import BEGUN, CLAIMED, LIFE, STALE
from counterfoil.core.tests.test_idempotency import Door
from tests.support import Api, product

pytestmark = pytest.mark.django_db
WINE = {"sku": "PINOT-21", "quantity": 6, "reason": "found in the cellar"}


@pytest.fixture
def door(db: None) -> Door:
    return Door()


@pytest.fixture
def api(db: None) -> Api:
    made = Api()
    product(made, "PINOT-21")
    return made


def grow_old(by: timedelta) -> None:
    execute("UPDATE core_idempotencykey SET created_at = %s", [clock.real_now() - by])


def status() -> list[int]:
    return [int(s) for (s,) in rows("SELECT status FROM core_idempotencykey")]


def work() -> None:
    """Something is committed: an entry on a list of ours."""
    with writing():
        execute("INSERT INTO core_series (prefix, next) VALUES ('ZZ', 1)")


def work_that_fails() -> None:
    with writing():
        execute("INSERT INTO core_series (prefix, next) VALUES ('ZZ', 1)")
        raise KeyError


def done() -> int:
    return int(rows("SELECT COUNT(*) FROM core_series WHERE prefix = 'ZZ'")[0][0])


def die_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The process is gone after the work and before its answer is kept."""
    monkeypatch.setattr(idempotency, "_keep", lambda *given: None)
    return monkeypatch


def test_work_whose_answer_was_lost_is_not_done_again_at_once_nor_later(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        die_before_the_answer(dying)
        api.post("/stock", WINE, Idempotency_Key="cellar-1")
    for age in (timedelta(0), STALE + timedelta(seconds=1), LIFE - timedelta(minutes=1)):
        grow_old(age)
        assert api.post("/stock", WINE, Idempotency_Key="cellar-1").status == 409
        assert api.get("/products/PINOT-21").body["on_hand"] == 6
    assert "its answer was lost" in str(api.post("/stock", WINE, Idempotency_Key="cellar-1").body)
    assert status() == [BEGUN]


def test_whoever_looked_and_wants_it_again_takes_a_new_key(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        die_before_the_answer(dying)
        api.post("/stock", WINE, Idempotency_Key="cellar-1")
    grow_old(STALE + timedelta(seconds=1))
    assert api.post("/stock", WINE, Idempotency_Key="cellar-2").status == 201
    assert api.get("/products/PINOT-21").body["on_hand"] == 12


def test_a_request_that_died_before_it_did_anything_may_be_repeated(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        die_before_the_answer(dying)
        door.post()
    assert status() == [CLAIMED]
    assert door.post().status_code == 409
    grow_old(STALE + timedelta(seconds=1))
    assert door.post().status_code == 201
    assert door.asked == 2


def test_work_that_was_rolled_back_is_no_work_and_may_be_repeated(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def try_it() -> None:
        with pytest.raises(KeyError):
            work_that_fails()

    door.inside = try_it
    with monkeypatch.context() as dying:
        die_before_the_answer(dying)
        door.post()
    assert (status(), done()) == ([CLAIMED], 0)
    grow_old(STALE + timedelta(seconds=1))
    assert door.post().status_code == 201


def test_work_after_a_piece_that_was_rolled_back_is_marked_all_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def try_it_twice() -> None:
        with pytest.raises(KeyError):
            work_that_fails()
        work()

    door.inside = try_it_twice
    with monkeypatch.context() as dying:
        die_before_the_answer(dying)
        door.post()
    assert (status(), done()) == ([BEGUN], 1)


@pytest.mark.parametrize("refusal", [400, 402, 404, 409, 422])
def test_a_refused_request_frees_its_key_although_it_wrote_something(door: Door, refusal: int) -> None:
    door.inside, door.statuses = work, [refusal]
    assert door.post().status_code == refusal
    assert status() == []
    door.inside = None
    assert door.post().status_code == 201


def test_a_fault_after_the_work_keeps_the_key_and_the_work_is_not_repeated(door: Door) -> None:
    door.inside, door.statuses = work, [500]
    assert door.post().status_code == 500
    for age in (timedelta(0), STALE + timedelta(seconds=1)):
        grow_old(age)
        assert door.post().status_code == 409
    assert (door.asked, done()) == (1, 1)


def test_a_request_that_breaks_after_the_work_keeps_its_key_too(door: Door) -> None:
    def work_and_break() -> None:
        work()
        raise KeyError

    door.inside = work_and_break
    with pytest.raises(KeyError):
        door.post()
    assert (door.post().status_code, door.asked, status()) == (409, 1, [BEGUN])


@pytest.mark.parametrize("fault", [500, 503])
def test_a_fault_before_any_work_frees_the_key(door: Door, fault: int) -> None:
    door.statuses = [fault]
    assert door.post().status_code == fault
    assert door.post().status_code == 201
    assert door.asked == 2


def test_what_is_written_after_a_request_does_not_touch_its_key(door: Door) -> None:
    first = door.post()
    work()
    assert status() == [201]
    assert door.post().content == first.content


def test_a_good_answer_after_several_commits_is_kept_and_given_again(door: Door) -> None:
    def much() -> None:
        work()
        with writing():
            execute("UPDATE core_series SET next = 2 WHERE prefix = 'ZZ'")

    door.inside = much
    first = door.post()
    assert (first.status_code, status()) == (201, [201])
    assert door.post().content == first.content
    assert door.asked == 1


def test_a_begun_request_that_another_took_over_does_not_free_its_heirs_key(door: Door) -> None:
    def take_long() -> None:
        work()
        door.inside = None
        execute("UPDATE core_idempotencykey SET created_at = %s", [clock.real_now() + timedelta(seconds=1)])

    door.inside, door.statuses = take_long, [409]
    answer: Any = door.post()
    assert (answer.status_code, status()) == (409, [BEGUN])

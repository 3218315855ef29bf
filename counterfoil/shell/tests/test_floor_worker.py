"""The floor's service worker: whom it serves, how far it reaches, and when it is another one."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from counterfoil.desk.tests.build import at_the_desk
from counterfoil.shell import floor_worker

pytestmark = pytest.mark.django_db
WORKER = "/desk/floor/worker.js"


def named(script: str, name: str) -> str:
    found = re.search(rf"^const {name} = (.*);$", script, re.MULTILINE)
    assert found, name
    return found[1]


def test_the_worker_reaches_the_floor_and_no_further_and_what_it_keeps_is_there() -> None:
    desk = at_the_desk("picker")
    answer = desk.get(WORKER)
    assert answer["Service-Worker-Allowed"] == "/desk/floor"
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/javascript; charset=utf-8", "no-cache")
    assert "connect-src 'self'" in answer["Content-Security-Policy"]
    script = answer.content.decode()
    away = json.loads(named(script, "AWAY"))
    kept = [*json.loads(named(script, "FILES")), away]
    assert {url: desk.get(url).status_code for url in kept} == dict.fromkeys(kept, 200)
    # Every page of the floor says whose it is; the one for everybody names nobody.
    me = str(desk.session["_auth_user_id"])
    assert [desk.get(f"/desk/floor{page}")["X-Floor-User"] for page in ("", "/pick", "/pack")] == [me, me, me]
    page = desk.get(away)
    assert "X-Floor-User" not in page
    assert "csrf" not in page.content.decode()


def test_nobody_else_gets_the_worker_and_the_log_in_forgets_what_was_kept() -> None:
    assert at_the_desk("bookkeeper").get(WORKER).status_code == 403
    stranger = Client()
    assert stranger.get(WORKER).status_code == 302
    assert "js/forget." in stranger.get("/desk/login").content.decode()


def test_another_page_makes_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = at_the_desk("picker")
    before = named(desk.get(WORKER).content.decode(), "VERSION")
    monkeypatch.setattr(floor_worker, "_FOLDERS", floor_worker._FOLDERS[1:])
    floor_worker._script.cache_clear()
    assert named(desk.get(WORKER).content.decode(), "VERSION") != before
    floor_worker._script.cache_clear()

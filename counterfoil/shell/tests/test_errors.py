"""What a person reads when something is wrong: in words, with what to do; and what a proxy before us may say."""

from __future__ import annotations

import io
import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client, RequestFactory

from counterfoil.core import clock, pulse
from counterfoil.core.web import address_of
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.verify import judge

pytestmark = pytest.mark.django_db


def test_each_refusal_is_a_page_with_what_to_do(settings: Any) -> None:
    desk, stranger = at_the_desk("clerk"), Client(enforce_csrf_checks=True)
    refused = {
        403: desk.get("/desk/settings"),
        404: desk.get("/desk/nothing"),
        405: desk.get("/desk/logout"),
        413: desk.post("/desk/login", {"file": SimpleUploadedFile("f", b"x" * 6_000_000)}),
    }
    refused[400] = desk.get("/", headers={"Host": "elsewhere.example.com"})
    pages = {status: answer.content.decode() for status, answer in refused.items()}
    assert {status: answer.status_code for status, answer in refused.items()} == {s: s for s in refused}
    for status, page in pages.items():
        assert 'class="slip"' in page, status
        assert 'class="soft"' in page, status
    assert refused[405]["Allow"] == "POST"
    assert "too old" in stranger.post("/desk/login", {}).content.decode()


def test_a_fault_has_a_code_on_the_page_and_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: str) -> None:
        raise OperationalError("secret")

    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger("counterfoil.core.web").addHandler(handler)
    try:
        monkeypatch.setattr("counterfoil.desk.health.facts", lambda: 1 // 0)
        page = at_the_desk("owner").get("/desk/health")
        monkeypatch.setattr("counterfoil.shell.health.rows", gone)
        away = Client().get("/healthz")
    finally:
        logging.getLogger("counterfoil.core.web").removeHandler(handler)
    code = re.search(r"<code>([0-9A-F]{8})</code>", page.content.decode())
    assert page.status_code == 500
    assert code
    assert f"fault {code[1]} at GET /desk/health" in said.getvalue()
    assert "ZeroDivisionError" in said.getvalue()
    assert "ZeroDivision" not in page.content.decode()
    assert (away.status_code, away["Retry-After"]) == (503, "5")
    assert "secret" not in away.content.decode()


def test_the_health_page_says_what_was_found_and_by_whom_it_may_be_read(
    django_assert_max_num_queries: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pulse.forget()
    desk = at_the_desk("clerk")
    assert "No worker has ever been at work" in desk.get("/desk/health").content.decode()
    pulse.beat("worker")
    judge(as_json=False, wait=False)
    with django_assert_max_num_queries(12):
        page = desk.get("/desk/health").content.decode()
    assert "It is at work" in page
    assert "Verified 0 s ago: everything agreed" in page
    told = pulse.last(["worker"])["worker"]["at"]
    assert clock.real_now() - told < timedelta(seconds=60)
    assert at_the_desk("picker").get("/desk/health").status_code == 403


def test_behind_https_cookies_are_for_https_only_and_browsers_never_ask_without(settings: Any) -> None:
    assert "Strict-Transport-Security" not in Client().get("/desk/login")
    settings.SESSION_COOKIE_SECURE = True
    settings.CSRF_COOKIE_SECURE = True
    answer = Client().get("/desk/setup")
    assert answer["Strict-Transport-Security"] == "max-age=31536000"
    assert answer.cookies["counterfoil_csrf"]["secure"]


def test_of_a_proxys_header_only_what_our_own_proxies_wrote_is_believed(settings: Any) -> None:
    ask = RequestFactory().get("/", headers={"X-Forwarded-For": "1.1.1.1, 2.2.2.2"}, REMOTE_ADDR="10.0.0.1")
    assert address_of(ask) == "10.0.0.1"
    settings.PROXIES = 1
    assert address_of(ask) == "2.2.2.2"
    assert address_of(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1"
    # Whoever has one address of an IPv6 network has all of them, and is one caller.
    theirs = [RequestFactory().get("/", headers={"X-Forwarded-For": f"2001:db8:1:2:{n}::{n}"}) for n in (1, 2)]
    assert {address_of(one) for one in theirs} == {"2001:db8:1:2::/64"}
    assert address_of(RequestFactory().get("/", headers={"X-Forwarded-For": "::ffff:10.1.2.3"})) == "10.1.2.3"


def test_a_shop_that_has_a_token_for_its_monitor_tells_nobody_else_how_many_orders_there_are(settings: Any) -> None:
    assert "counterfoil_orders" in Client().get("/metrics").content.decode()
    settings.METRICS_TOKEN = "only the monitor"
    for given in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer ☃"}):
        assert Client().get("/metrics", headers=given).status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Bearer only the monitor"}).status_code == 200


def test_pages_of_who_works_here_are_for_no_shared_cache() -> None:
    assert at_the_desk("clerk").get("/desk/stock")["Cache-Control"] == "private, no-cache"

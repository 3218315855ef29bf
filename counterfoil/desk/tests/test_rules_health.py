"""Whether the shop is well, in words: what is wrong is said with what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from counterfoil.core import jobs
from counterfoil.core.shop import Shop
from counterfoil.desk.health_signs import BAD, OK, WARN, WORK, Facts, signs, worst
from counterfoil.desk.settings import missing

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WELL = Facts(
    now=NOW, worker=NOW - timedelta(seconds=20), mail_sent=NOW - timedelta(hours=1), backups="/backups",
    backup=NOW - timedelta(hours=9), verified=NOW - timedelta(days=1),
)  # fmt: skip


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def test_a_shop_that_is_well_has_nothing_to_do() -> None:
    found = signs(WELL)
    assert worst(found) == OK
    assert not any(sign.todo for sign in found)


@pytest.mark.parametrize(
    ("changed", "title", "state", "said"),
    [
        ({"disk_free": 300_000_000}, "Disk", BAD, "300.0 MB of"),
        ({"disk_free": 3_000_000_000}, "Disk", WARN, "3.0 GB of"),
        ({"worker": None}, "Worker", BAD, "No worker has ever"),
        ({"worker": ago(minutes=10), "due": 1200}, "Worker", BAD, "No worker for 10 min; 1,200 jobs wait"),
        ({"due": 7, "due_since": ago(minutes=30)}, "Worker", WARN, "the oldest for 30 min"),
        (
            {"dead": {"charging.pay_mail": 3, "mail.send": 1}},
            "Jobs",
            BAD,
            "4 were tried many times and given up: mails to customers (1), mails with a link to pay (3).",
        ),
        ({"dead": {"of.tomorrow": 1}}, "Jobs", BAD, "1 was tried many times and given up: other work (1)."),
        ({"mail_set": False, "mail_sent": None, "mails_waiting": 3}, "Mail", WARN, "is named; 3 mails wait."),
        ({"mail_set": False}, "Mail", BAD, "No mail server is named. The last one went out 60 min ago"),
        (
            {"mails_waiting": 3, "mails_since": ago(hours=3), "mail_error": "535 no"},
            "Mail",
            BAD,
            "3 h. The mail server",
        ),
        ({"card_key": "none"}, "Card processor", BAD, "None is connected"),
        ({"card_key": "test"}, "Card processor", WARN, "no real money moves"),
        ({"card_away": ago(minutes=4), "card_waiting": 5}, "Card processor", BAD, "5 charges and refunds wait"),
        ({"backups": ""}, "Backup", WARN, "Nobody has said"),
        ({"backup": None}, "Backup", BAD, "There is none in /backups"),
        ({"backup": ago(days=3)}, "Backup", BAD, "3 days old"),
        ({"verified": None}, "Books", WARN, "Nobody has had them verified"),
        ({"broken": 2}, "Books", BAD, "2 findings"),
        ({"verified": ago(days=20)}, "Books", WARN, "20 days ago"),
    ],
)
def test_what_is_not_well_is_said_with_what_to_do(changed: dict[str, Any], title: str, state: str, said: str) -> None:
    found = {sign.title: sign for sign in signs(replace(WELL, **changed))}
    assert found[title].state == state
    assert said in found[title].found
    assert found[title].todo


def test_every_kind_of_work_is_said_in_the_words_of_the_trade() -> None:
    of_tests = ("t.", "fire.")
    assert {name for name in jobs.known_names() if not name.startswith(of_tests)} <= set(WORK)


def test_a_fresh_shop_is_told_all_that_is_missing_before_the_first_sale() -> None:
    nothing = missing.Facts(products=0, card_key=False, mail=False, base_url="http://shop.example.com")
    texts = [lack.text for lack in missing.missing(Shop(deliveries=[]), nothing)]
    assert len(texts) == 9
    open_ = Shop(
        name="Hill House", address=["1 Lane"], email="hill@example.com", zones=[{"country": "US", "rates": {}}]
    )
    ready = missing.Facts(products=3, card_key=True, mail=True, base_url="https://shop.example.com")
    assert missing.missing(open_, ready) == []

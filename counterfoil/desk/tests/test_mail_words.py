"""The owner words the mails: looked at with a made-up order first, then in the next mail to a customer."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.shop import forget, shop
from counterfoil.desk.how import MAILS
from counterfoil.desk.tests.build import at_the_desk, order, product
from counterfoil.flow.settings import settings_mark
from counterfoil.gateways.mail.wording import KINDS
from tests.support import settle

pytestmark = pytest.mark.django_db
WORDS = {"subject": "{shop}: {number}", "opening": "How <nice>, {name}.", "closing": "Yours, Olga"}


def test_every_mail_to_a_customer_bears_the_shops_words_in_text_and_html() -> None:
    desk = at_the_desk("owner")
    assert set(MAILS) - set(KINDS) == {"purchase_order", "message"}, "those to the supplier and to the shop itself"
    for kind in KINDS:
        text = desk.post(f"/desk/settings/mails/{kind}/preview", {**WORDS, "as": "text"}).content.decode()
        page = desk.post(f"/desk/settings/mails/{kind}/preview", WORDS)
        html = page.content.decode()
        assert text.startswith("Subject: Counterfoil: CF-1042\n\nHello June Harper,\n\nHow <nice>, June Harper.\n\n"), (
            kind
        )
        assert text.rstrip().endswith("Yours, Olga\n\nCounterfoil"), text
        assert '<p style="white-space:pre-line">How &lt;nice&gt;, June Harper.</p>' in html, kind
        assert html.count("Yours, Olga") == 1, kind
        assert "sandbox" in page["Content-Security-Policy"]
    assert (
        "stands for nothing" in desk.post("/desk/settings/mails/shipped/preview", {"opening": "{x}"}).content.decode()
    )


def test_words_are_kept_and_stand_in_the_next_mail(mailbox: Any) -> None:
    desk, page = at_the_desk("owner"), "/desk/settings/mails/confirmation"
    mark = str(settings_mark())
    assert "{name}" in desk.get(page).content.decode()
    refused = desk.post(page, {**WORDS, "closing": "{ship_date}", "seen": mark})
    assert refused.status_code == 422
    assert desk.post(page, {**WORDS, "seen": mark}).status_code == 303
    assert desk.post("/desk/settings/mails/shipped", {**WORDS, "seen": mark}).status_code == 409, "older than the other"
    forget()
    assert list(shop().mail_words) == ["confirmation"]
    product("PINOT-21", on_hand=5)
    placed = order(("PINOT-21", 1), payment_method="cheque")
    settle()
    mail = next(m for m in mailbox.mails(to=placed.email) if placed.number in m["subject"])
    assert mail["subject"] == f"Counterfoil: {placed.number}"
    assert "How <nice>" in mail["text"]
    assert "a person will look at it now" in mail["text"], "the facts stay"
    empty = {"seen": str(settings_mark()), "subject": "", "opening": " ", "closing": ""}
    assert desk.post(page, empty).status_code == 303
    forget()
    assert shop().mail_words == {}
    for role in ("clerk", "bookkeeper"):
        assert at_the_desk(role).get(page).status_code == 403

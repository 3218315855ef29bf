"""Text that would be a command elsewhere is text here: on every page, on every paper, in every mail."""

from __future__ import annotations

import pytest
from django.test import Client

from counterfoil.core.access.models import User
from counterfoil.flow.verify import judge_all
from counterfoil.records.orders.models import Order
from tests.doors.build import Desk, refused
from tests.doors.table import DOORS, changed, leaves
from tests.support import order_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


TEXTS = {
    "html": "<script>alert(1)</script><b onload='x'>&amp;\"",
    "right to left": "\u202eشارع الكرم ١٢ \u05d9\u05d9\u05df\u200f",
    "emoji": "🍷👩🏽‍🌾🏴󠁧󠁢󠁥󠁮󠁧󠁿 é\u0301\u0301",
    "controls": "a\x01b\x0bc\x7f\x85\u2028\ufffe\U0010ffff\n\r\td",
    "templates": '{{ 7*7 }} {% raise %} %s %(x)s ${x} #let x = 1; #include "/etc" \\\\ $ _ * ` @a <l>',
}
FREE = {
    "name", "street", "city", "postcode", "state", "phone", "gift_message", "comment", "method", "reason", "message",
    "description", "lot", "bin", "producer", "size", "reference", "brand", "carrier", "tax_class",
}  # fmt: skip


@pytest.mark.parametrize("style", TEXTS)
@pytest.mark.parametrize("door", DOORS)
def test_strange_text_is_harmless_text_or_a_clear_no(desk: Desk, door: str, style: str) -> None:
    path, body = DOORS[door].open(desk)
    for at, value in leaves(body):
        if isinstance(value, str) and at[-1] in FREE and at[0] != "payment":
            short = at[-1] in {"bin", "brand", "tax_class", "size", "lot", "phone"}
            body = changed(body, at, TEXTS[style][:12] if short else TEXTS[style])
    answer = desk.api.post(path, body)
    if answer.status >= 300:
        refused(answer, 409, 422)
    assert judge_all() == []


@pytest.mark.parametrize("style", TEXTS)
def test_strange_text_in_an_order_is_text_on_every_page_and_paper(desk: Desk, client: Client, style: str) -> None:
    text = TEXTS[style]
    address = {**dict.fromkeys(("name", "street", "city", "postcode", "state"), text), "country": "US"}
    body = order_body(("PINOT-21", 1), card=None, shipping_address=address, billing_address=address, comment=text)
    body["customer"]["name"] = body["shipping"]["method"] = body["gift_message"] = text
    taken = desk.api.post("/orders", body)
    assert taken.status == 201, taken.body
    number = taken.body["number"]
    assert taken.body["comment"] == text.strip() == desk.api.order(number)["shipping_address"]["city"]
    desk.api.done(f"/orders/{number}/holds", {"reason": text})
    assert desk.api.get(f"/orders/{number}/documents/web-order.pdf").body.startswith(b"%PDF")
    client.force_login(User.objects.create_user("o@example.com", "a long password", name="Olga", role="owner"))
    token = Order.objects.get(number=number).token
    for page in (f"/orders/{token}", f"/desk/orders/{number}", "/desk/", f"/desk/?q={number}"):
        found = client.get(page, follow=True)
        assert found.status_code == 200, page
        assert b"<script>alert" not in found.content
        assert b"<b onload" not in found.content

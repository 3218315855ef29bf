"""A customer's account: made and mended by mailed links only, apart from the log-in of the staff."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.core.models import Job
from counterfoil.desk.tests.build import at_the_desk, order, product
from counterfoil.records.customers.models import Account, AccountAddress, AccountSession, Customer
from counterfoil.records.customers.sessions import COOKIE
from counterfoil.records.orders.models import Order

pytestmark = pytest.mark.django_db
PASSWORD = "three odd words"
HOME = {
    "address.name": "June Harper",
    "address.street": "1 Mill Lane",
    "address.city": "Napa",
    "address.state": "California",
    "address.postcode": "94558",
    "address.country": "US",
}


def mailed(kind: str) -> str:
    """The path in the newest mail of that kind; the mail leaves the queue."""
    job = Job.objects.filter(name="mail.send", payload__kind=kind).latest("id")
    path = re.sub(r"^https?://[^/]+", "", job.payload["context"]["url"])
    Job.objects.filter(pk=job.pk).delete()
    return path


def signed_up(email: str = "june@example.com", name: str = "June Harper") -> Client:
    """A browser in which a new account is logged in."""
    visitor = Client()
    visitor.post("/account/new", {"email": email})
    made = visitor.post(mailed("account_new"), {"name": name, "password": PASSWORD})
    assert (made.status_code, made["Location"]) == (303, "/account/")
    return visitor


def test_a_stranger_learns_of_no_account_and_its_own_mailbox_does() -> None:
    signed_up()
    answers = []
    for path in ("/account/new", "/account/reset"):
        for email in ("june@example.com", "nobody@example.com"):
            answer = Client().post(path, {"email": email})
            said = re.sub(r'name="csrf\w+" value="\w+"', "", answer.content.decode())
            answers.append((path, answer.status_code, said.replace(email, "E")))
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    assert {j.payload["kind"] for j in Job.objects.filter(name="mail.send")} == {"account_password", "account_new"}
    wrong = [Client().post("/account/login", {"email": e, "password": "x"}) for e in ("june@example.com", "no@e.com")]
    assert [w.status_code for w in wrong] == [422, 422]
    assert all("do not fit together" in w.content.decode() for w in wrong)


def test_an_address_with_blanks_behind_it_has_no_tries_of_its_own() -> None:
    """What is counted is what is looked for, however it is spelt."""
    signed_up()
    spelt = ["june@example.com", " JUNE@example.com ", f"june@example.com{' ' * 260}x"]
    tries = [Client().post("/account/login", {"email": spelt[n % 2], "password": "x"}) for n in range(10)]
    assert {t.status_code for t in tries} == {422}
    late = [Client().post("/account/login", {"email": email, "password": PASSWORD}) for email in spelt]
    assert [t.status_code for t in late] == [429, 429, 422]


def test_a_link_chooses_a_password_once_and_ends_every_log_in() -> None:
    first = signed_up()
    Client().post("/account/reset", {"email": "JUNE@example.com"})
    path = mailed("account_password")
    other = Client()
    assert other.post(path, {"password": "short"}).status_code == 422
    assert other.post(path, {"password": "four other odd words"}).status_code == 303
    assert other.get("/account/").status_code == 200
    assert first.get("/account/")["Location"].startswith("/account/login")
    assert Client().post(path, {"password": "a third try of words"}).status_code == 404
    assert Client().get(path[:-2] + "xx").status_code == 404
    log_in = {"email": "june@example.com", "password": PASSWORD}
    assert Client().post("/account/login", log_in).status_code == 422
    assert Client().post("/account/login", {**log_in, "password": "four other odd words"}).status_code == 303


def test_a_log_in_has_a_new_key_and_log_out_ends_it_for_every_copy() -> None:
    visitor = signed_up()
    keys = [visitor.cookies[COOKIE].value]
    visitor.post("/account/login", {"email": "june@example.com", "password": PASSWORD})
    keys.append(visitor.cookies[COOKIE].value)
    assert keys[0] != keys[1]
    assert AccountSession.objects.count() == 1
    thief = Client()
    thief.cookies[COOKIE] = keys[1]
    assert thief.get("/account/").status_code == 200
    assert visitor.cookies[COOKIE]["httponly"]
    visitor.post("/account/logout")
    assert thief.get("/account/").status_code == 302
    assert keys[1] not in {s.sha256 for s in AccountSession.objects.all()}


def test_customers_and_staff_never_open_each_others_pages() -> None:
    product("A", on_hand=5)
    customer, clerk = signed_up(), at_the_desk("owner")
    number = order(("A", 1)).number
    for path in ("/desk/", f"/desk/orders/{number}", "/desk/settings"):
        assert customer.get(path)["Location"].startswith("/desk/login"), path
    assert customer.post("/desk/login", {"email": "june@example.com", "password": PASSWORD}).status_code == 422
    assert clerk.get("/account/")["Location"].startswith("/account/login")
    clerk.post("/account/logout")
    assert clerk.get("/desk/settings").status_code == 200


def test_who_guesses_is_stopped_by_address_and_by_account() -> None:
    signed_up()
    tries = [
        Client(REMOTE_ADDR=f"10.0.0.{n}").post(
            "/account/login", {"email": "june@example.com", "password": f"guess {n}"}
        )
        for n in range(12)
    ]
    assert [t.status_code for t in tries][-2:] == [429, 429]


def test_the_order_of_who_is_logged_in_stands_in_the_account_and_the_check_out_knows_them() -> None:
    product("A", on_hand=50)
    june, other = signed_up(), signed_up("ann@example.com", "Ann Lee")
    june.post("/account/addresses/new", HOME)
    june.post("/cart/add", {"sku": "A", "quantity": "2"})
    page = june.get("/checkout").content.decode()
    assert 'value="1 Mill Lane"' in page
    assert 'value="june@example.com"' in page
    form = {
        "name": "June Harper", "email": "june@example.com", "shipping_method": "Ground", "payment_method": "card",
        "consent": "yes", "age_declared": "yes", "attempt": "attempt-0001",
        **{f"shipping_{k}": v for k, v in HOME.items()},
    }  # fmt: skip
    assert june.post("/checkout", form).status_code == 303
    placed = Order.objects.get()
    assert (placed.account and placed.account.email_key) == "june@example.com"
    assert placed.number in june.get("/account/").content.decode()
    assert placed.number not in other.get("/account/").content.decode()
    # What we know of a customer is changed by themselves: neither by a guest nor by another account that names them.
    known = Customer.objects.filter(email_key="june@example.com")
    for n, (who, phone, kept) in enumerate([
        (Client(), "+1 503 555 0101", "+1 503 555 0101"),  # it was empty
        (Client(), "+1 503 555 0102", "+1 503 555 0101"),
        (other, "+1 503 555 0103", "+1 503 555 0101"),
        (june, "+1 503 555 0104", "+1 503 555 0104"),
    ]):  # fmt: skip
        who.post("/cart/add", {"sku": "A", "quantity": "1"})
        told = {
            **form,
            "name": f"Somebody {n}",
            "email": "June@example.com",
            "phone": phone,
            "attempt": f"attempt-1{n}xx",
        }
        assert who.post("/checkout", told).status_code == 303
        newest = Order.objects.order_by("-id")[0]
        assert (newest.name, newest.phone, newest.customer_id) == (f"Somebody {n}", phone, placed.customer_id)
        assert list(known.values_list("name", "phone", "phone_key")) == [
            ("June Harper", kept, kept.replace(" ", "").strip("+"))
        ]


def test_orders_of_a_guest_come_into_the_account_by_a_mailed_link_and_only_those_of_its_address() -> None:
    product("A", on_hand=50)
    mine, theirs = order(("A", 1), email="June@example.com"), order(("A", 1), email="ann@example.com")
    june = signed_up()
    assert mine.number not in june.get("/account/").content.decode()
    june.post("/account/claim")
    path = mailed("account_claim")
    Client().get(path)  # a mail program looks at links by itself
    assert not Order.objects.exclude(account=None).exists()
    june.post(path)
    page = june.get("/account/").content.decode()
    assert mine.number in page
    assert theirs.number not in page
    assert "1 earlier order came" in page


def test_addresses_are_checked_by_country_one_is_first_and_nobody_touches_anothers() -> None:
    june, ann = signed_up(), signed_up("ann@example.com", "Ann Lee")
    assert june.post("/account/addresses/new", {**HOME, "address.postcode": "1"}).status_code == 422
    for street in ("1 Mill Lane", "2 Mill Lane"):
        june.post("/account/addresses/new", {**HOME, "address.street": street})
    first, second = AccountAddress.objects.order_by("id")
    assert (first.first, second.first, first.state) == (True, False, "CA")
    june.post(f"/account/addresses/{second.pk}", {**HOME, "first": "yes"})
    assert list(AccountAddress.objects.order_by("id").values_list("first", flat=True)) == [False, True]
    ann.post(f"/account/addresses/{first.pk}/drop")
    assert ann.post(f"/account/addresses/{first.pk}", HOME).status_code == 302
    june.post(f"/account/addresses/{second.pk}/drop")
    assert AccountAddress.objects.get().first


def test_the_account_asks_as_much_for_one_order_as_for_forty() -> None:
    product("A", on_hand=500)
    june = signed_up()
    june.get("/account/")
    asked = []
    for many in (1, 40):
        for _ in range(many):
            order(("A", 1), email="june@example.com")
        Order.objects.update(account=Account.objects.get())
        with CaptureQueriesContext(connection) as found:
            assert june.get("/account/").status_code == 200
        asked.append(len(found))
    assert max(asked) <= 12
    assert asked[1] - asked[0] <= 2  # settings and clock are read anew every two seconds


def test_another_password_wants_the_old_one_and_what_is_typed_wrong_is_said_at_its_field() -> None:
    june = signed_up()
    assert 'id="e-old"' in june.post("/account/password", {"old": "no", "password": PASSWORD}).content.decode()
    assert 'id="e-password"' in june.post("/account/password", {"old": PASSWORD, "password": "x"}).content.decode()
    assert june.post("/account/password", {"old": PASSWORD, "password": "quite another one"}).status_code == 303
    assert june.get("/account/").status_code == 200
    wrong: dict[str, Any] = {"name": "", "phone": "4242 4242 4242 4242"}
    page = june.post("/account/details", wrong).content.decode()
    assert 'id="e-name"' in page
    assert 'id="e-phone"' in page or "e-name" in page
    assert "4242 4242" not in page

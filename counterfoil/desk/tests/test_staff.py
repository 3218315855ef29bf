"""Who works here: invited by mail, a role each, switched off at once; keys shown once; the first person of a shop."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from counterfoil.core import clock
from counterfoil.core.access.models import ApiKey, Invitation, User
from counterfoil.core.access.setup import setup_token
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import forget, shop
from counterfoil.desk.settings.form import shown
from counterfoil.desk.settings.walk import BY_CODE
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.flow.settings import settings_mark
from counterfoil.records.catalogue.models import Product
from tests.support import settle

pytestmark = pytest.mark.django_db
PASSWORD = "long enough to be good"
TWICE = {"password": PASSWORD, "again": PASSWORD}


def invite(owner: Client, role: str = "clerk") -> tuple[User, str]:
    """A colleague who has not come yet, and the path of their link."""
    sent = {"name": "Mara Lindt", "email": "Mara@example.com", "role": role}
    assert owner.post("/desk/settings/staff", sent).status_code == 303
    page = owner.get("/desk/settings/staff").content.decode()
    found = re.search(r"/desk/welcome/[\w-]{40,}", page)
    assert found, page
    assert found[0] not in owner.get("/desk/settings/staff").content.decode(), "it is shown once"
    return User.objects.get(email="mara@example.com"), found[0]


def test_an_invited_person_sets_a_password_of_their_own_once(mailbox: Any) -> None:
    owner, mara = at_the_desk("owner"), Client()
    user, link = invite(owner)
    settle()
    (mail,) = mailbox.mails(to="mara@example.com")
    assert link in mail["text"]
    assert "Mara Lindt" in mara.get(link).content.decode()
    for wrong in ({"password": "short", "again": "short"}, {**TWICE, "again": "other"}, {}):
        assert mara.post(link, wrong).status_code == 422
    assert mara.post(link, TWICE).status_code == 303
    assert mara.get("/desk/queues/review").status_code == 200, "and is logged in"
    for used in (Client().get(link), Client().post(link, TWICE), Client().get("/desk/welcome/nothing")):
        assert used.status_code == 404
    _, second = invite_again(owner, user)
    Invitation.objects.filter(used_at=None).update(expires_at=clock.real_now() - timedelta(seconds=1))
    assert Client().get(second).status_code == 404
    assert JournalEvent.objects.filter(subject="STAFF").values_list("kind", flat=True).order_by("pk")[0] == (
        "person_invited"
    )
    assert owner.post(
        "/desk/settings/staff", {"name": "M", "email": "mara@example.com", "role": "king"}
    ).status_code == (422)


def invite_again(owner: Client, user: User) -> tuple[User, str]:
    owner.post(f"/desk/settings/staff/{user.pk}", {"do": "link"})
    found = re.search(r"/desk/welcome/[\w-]{40,}", owner.get("/desk/settings/staff").content.decode())
    assert found
    return user, found[0]


def test_who_is_switched_off_is_out_at_once_and_comes_back_with_a_new_password_only() -> None:
    owner, mara = at_the_desk("owner"), Client()
    user, link = invite(owner)
    mara.post(link, TWICE)
    owner.post(f"/desk/settings/staff/{user.pk}", {"do": "role", "role": "picker"})
    assert mara.get("/desk/settings").status_code == 403
    owner.post(f"/desk/settings/staff/{user.pk}", {"do": "off"})
    assert mara.get("/desk/queues/review")["Location"].startswith("/desk/login")
    owner.post(f"/desk/settings/staff/{user.pk}", {"do": "on"})
    assert mara.get("/desk/queues/review").status_code == 302, "the old session stays dead"
    sent = {"email": user.email, "password": PASSWORD}
    assert Client().post("/desk/login", sent).status_code == 422, "and so does the old password"


def test_the_last_owner_stays() -> None:
    owner = at_the_desk("owner")
    me = User.objects.get()
    invite(owner, "owner")  # who never came is no owner to rely on
    for sent in ({"do": "off"}, {"do": "role", "role": "clerk"}):
        answer = owner.post(f"/desk/settings/staff/{me.pk}", sent)
        assert answer.status_code == 409
        assert "is the last owner" in answer.content.decode()
    other = User.objects.create_user("bea@example.com", PASSWORD, name="Bea", role="owner")
    assert owner.post(f"/desk/settings/staff/{other.pk}", {"do": "off"}).status_code == 303
    assert owner.post(f"/desk/settings/staff/{me.pk}", {"do": "off"}).status_code == 409


def test_a_key_is_shown_once_and_opens_nothing_after_it_is_revoked(client: Client) -> None:
    owner = at_the_desk("owner")
    page = owner.post("/desk/settings/keys", {"name": "web", "role": "channel"}).content.decode()
    found = re.search(r"cf_[\w-]{40,}", page)
    assert found
    ask = {"Authorization": f"Bearer {found[0]}"}
    assert client.get("/api/v1/orders", headers=ask).status_code == 200
    assert found[0] not in owner.get("/desk/settings/keys").content.decode()
    assert owner.post("/desk/settings/keys", {"name": " ", "role": "channel"}).status_code == 422
    key = ApiKey.objects.get()
    assert owner.post(f"/desk/settings/keys/{key.pk}").status_code == 303
    assert client.get("/api/v1/orders", headers=ask).status_code == 401
    assert owner.post(f"/desk/settings/keys/{key.pk}").status_code == 404
    told = list(JournalEvent.objects.filter(subject="STAFF").values_list("kind", flat=True))
    assert told == ["key_made", "key_revoked"]


def test_one_changes_ones_own_password_and_is_logged_out_elsewhere() -> None:
    here, there = at_the_desk("picker"), Client()
    user = User.objects.get()
    user.set_password("the old password")
    user.save()
    here.force_login(user)
    there.force_login(user)
    assert here.post("/desk/me", {"old": "wrong", **TWICE}).status_code == 422
    assert here.post("/desk/me", {"old": "the old password", **TWICE}).status_code == 303
    assert here.get("/desk/me").status_code == 200
    assert there.get("/desk/me").status_code == 302


@pytest.mark.parametrize("role", ["clerk", "picker", "buyer", "bookkeeper"])
def test_staff_keys_and_first_steps_are_the_owners(role: str) -> None:
    desk = at_the_desk(role)
    mine = User.objects.get()
    doors = ["settings/staff", f"settings/staff/{mine.pk}", "settings/keys", "settings/keys/1", "setup/shop"]
    doors += ["setup/products", "setup/staff/leave"]
    assert {desk.post(f"/desk/{door}", {"do": "role", "role": "owner"}).status_code for door in doors} == {403}
    assert desk.get("/desk/setup").status_code == 403
    mine.refresh_from_db()
    assert mine.role == role


def test_only_who_has_the_servers_token_becomes_the_first_owner(client: Client) -> None:
    assert client.get("/desk/login")["Location"] == "/desk/setup"
    assert "Become the owner" in client.get("/desk/setup").content.decode()
    sent = {"name": "Ida", "email": "ida@example.com", "password": PASSWORD}
    refused = client.post("/desk/setup", {**sent, "token": "AAAA-BBBB-CCCC-DDDD"})
    assert refused.status_code == 422
    assert client.post("/desk/setup", {**sent, "token": setup_token(), "password": "short"}).status_code == 422
    assert not User.objects.exists()
    token = setup_token().lower().replace("-", " ")
    assert client.post("/desk/setup", {**sent, "token": token})["Location"] == "/desk/setup/shop"
    assert User.objects.get().role == "owner"
    again = Client().post("/desk/setup", {**sent, "email": "eve@example.com", "token": token})
    assert again["Location"].startswith("/desk/login"), "the token opens nothing any more"
    assert User.objects.count() == 1


def test_the_first_steps_are_kept_or_skipped_and_say_what_is_missing() -> None:
    owner = at_the_desk("owner")
    assert "The shop has no name of its own" in owner.get("/desk/setup").content.decode()
    for code in ("shop", "currency", "calendar", "delivery", "tax", "charging", "paper"):
        section = BY_CODE[code].section
        assert section is not None
        assert owner.get(f"/desk/setup/{code}").status_code == 200
        sent = {**shown(section, shop()), "seen": str(settings_mark())}
        sent |= {"name": "Hill House", "address": "1 Lane", "email": "hill@example.com"} if code == "shop" else {}
        assert owner.post(f"/desk/setup/{code}", sent).status_code == 303, code
        forget()
    mails = owner.get("/desk/setup/mails")
    assert "/desk/settings/mails/confirmation/preview" in mails.content.decode()
    assert "frame-src 'self'" in mails["Content-Security-Policy"]
    words = {"seen": str(settings_mark()), "opening": "So good of you, {nobody}."}
    assert owner.post("/desk/setup/mails", words).status_code == 422
    answer = owner.post("/desk/setup/mails", {**words, "opening": "So good of you, {name}."})
    assert answer["Location"] == "/desk/setup/staff"
    forget()
    assert shop().mail_words["confirmation"]["opening"] == "So good of you, {name}."
    assert owner.post("/desk/setup/staff/leave", {"how": "skipped"})["Location"] == "/desk/setup/products"
    page = owner.get("/desk/setup").content.decode()
    assert "no name of its own" not in page
    assert "There is no product" in page
    assert "Go on with: First products" in page
    template = owner.get("/desk/setup/products.csv")
    file = SimpleUploadedFile("p.csv", template.getvalue())
    assert owner.post("/desk/setup/products", {"file": file}).status_code == 303
    assert Product.objects.count() == 2
    bad = SimpleUploadedFile("p.csv", template.getvalue() + b"X,,1.00,1,,,,,,,\r\n")
    answer = owner.post("/desk/setup/products", {"file": bad})
    assert answer.status_code == 422
    assert "line 4: name" in answer.content.decode()
    assert "There is no product" not in owner.get("/desk/setup/test-order").content.decode()

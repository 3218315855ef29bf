"""The bookkeeper's page: balances, and the books as a file; nobody else's business."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.test import Client

from counterfoil.core.actor import ROLES
from counterfoil.desk.tests.build import at_the_desk
from counterfoil.records.books.export import FORMATS, books
from counterfoil.records.books.tests.build import entry, some_entries

pytestmark = pytest.mark.django_db
PAGES = ("/desk/books", "/desk/books/export?format=csv")


@pytest.mark.parametrize("role", [r for r in ROLES if r != "channel"])
def test_the_books_are_the_bookkeeper_s_and_the_owner_s(role: str) -> None:
    wanted = 200 if role in {"bookkeeper", "owner"} else 403
    at = at_the_desk(role)
    assert [at.get(page).status_code for page in PAGES] == [wanted, wanted]
    assert ('href="/desk/books"' in at.get("/desk/bank").content.decode()) is (wanted == 200)


def test_a_stranger_is_sent_to_the_log_in() -> None:
    for page in PAGES:
        answer = Client().get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/desk/login")


def test_the_page_shows_what_stands_on_each_account_in_each_currency() -> None:
    entry({"card_clearing": 6500, "customer_deposits": -6500})
    entry({"card_clearing": 1847, "customer_deposits": -1847}, "JPY")
    page = at_the_desk("bookkeeper").get("/desk/books").content.decode()
    for words in ("Card clearing", "$65.00", "-$65.00", "¥1,847", "Customer deposits"):
        assert words in page
    assert "Stock losses" not in page


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_is_the_command_s(form: str) -> None:
    some_entries()
    answer = at_the_desk("bookkeeper").get("/desk/books/export", {"format": form, "from": "", "to": ""})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith(f'attachment; filename="books-{form}.')
    assert answer["Cache-Control"] == "private, no-store"
    body = answer.getvalue()
    if form == "xero":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            assert archive.namelist() == ["books-xero.csv"]
            body = archive.read("books-xero.csv")
    files, _ = books(form)
    assert body.decode() == "".join(piece for pieces in files for piece in pieces)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"format": "sage"}, "choose a format"),
        ({"format": "csv", "from": "yesterday"}, "this is no date"),
        ({"format": "csv", "from": "2026-11-30", "to": "2026-11-01"}, "the last day is before the first"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(wanted: dict[str, str], words: str) -> None:
    answer = at_the_desk("bookkeeper").get("/desk/books/export", wanted)
    assert answer.status_code == 422
    assert words in answer.content.decode()

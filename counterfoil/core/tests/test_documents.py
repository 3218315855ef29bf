"""Papers stay as they were issued; their numbers have no gaps."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from counterfoil.core import documents, papers
from counterfoil.core.db import writing
from counterfoil.core.errors import Missing
from counterfoil.core.models import Document, Job, Printing, Rendering
from counterfoil.core.papers.tests.samples import content
from tests.crowd import together, worked

CONTENT: dict[str, Any] = {"amount": "$18.47", "lines": [{"sku": "PINOT-21", "quantity": 2}]}


def issued(subject: str = "CF-1", version: int = 1) -> Document:
    with writing():
        return documents.issue("invoice", subject=subject, version=version, content=CONTENT)


@pytest.mark.django_db
def test_a_paper_has_the_next_number_its_frozen_content_and_a_rendering_owed() -> None:
    first, second = issued(), issued("CF-2")
    assert (first.number, second.number) == ("INV-0001", "INV-0002")
    assert first.content["amount"] == "$18.47"
    assert first.content["number"] == "INV-0001"
    assert first.sha256 == documents.content_hash(Document.objects.get(pk=first.pk).content)
    assert Job.objects.filter(name="core.render", payload={"number": "INV-0001"}).exists()


@pytest.mark.django_db
def test_the_job_draws_the_paper_before_anybody_asks() -> None:
    with writing():
        made = documents.issue("invoice", subject="CF-1", content=content("invoice"))
    documents.render_job({"number": made.number})
    kept = Rendering.objects.get()
    assert bytes(kept.pdf)[:5] == b"%PDF-"
    assert documents.pdf(made) == bytes(kept.pdf)


@pytest.mark.django_db
def test_an_issued_paper_can_be_neither_changed_nor_removed() -> None:
    made = issued()
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(pk=made.pk).update(subject="CF-9")
    with pytest.raises(DatabaseError), transaction.atomic():
        Document.objects.filter(pk=made.pk).delete()


@pytest.mark.django_db
def test_any_change_of_the_content_changes_its_hash() -> None:
    held = documents.content_hash(CONTENT)
    assert held == documents.content_hash({"lines": [{"quantity": 2, "sku": "PINOT-21"}], "amount": "$18.47"})
    assert held != documents.content_hash({**CONTENT, "amount": "$18.48"})


@pytest.mark.django_db
def test_a_version_is_issued_once() -> None:
    issued()
    with pytest.raises(DatabaseError):
        issued()
    assert issued("CF-3").number == "INV-0002"


@pytest.mark.django_db
def test_a_number_belongs_to_the_transaction_that_uses_it() -> None:
    with pytest.raises(RuntimeError):
        documents.next_number("invoice")


@pytest.mark.django_db
def test_a_rendering_is_kept_as_it_was_first_made() -> None:
    made = issued()
    Rendering.objects.create(document=made, paper="letter", pdf=b"%PDF as it was", sha256="x", made_at=made.issued_at)
    assert documents.pdf(made) == b"%PDF as it was"


@pytest.mark.django_db
def test_who_is_second_to_render_a_paper_holds_the_first_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a shop is being updated, two processes may have two templates."""
    made = issued()

    def slower(*given: Any, **more: Any) -> bytes:
        Rendering.objects.create(document=made, paper="letter", pdf=b"%PDF old", sha256="x", made_at=made.issued_at)
        return b"%PDF new"

    monkeypatch.setattr(papers, "render", slower)
    assert documents.pdf(made) == b"%PDF old"
    assert documents.pdf(made) == b"%PDF old"


@pytest.mark.django_db
def test_a_paper_that_was_never_issued_is_not_found() -> None:
    with pytest.raises(Missing):
        documents.find("INV-9999")
    assert documents.newest("CF-1", "invoice") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_twenty_at_once_get_contiguous_numbers_although_some_change_their_minds() -> None:
    def act(n: int) -> str | None:
        try:
            with writing():
                made = documents.issue("invoice", subject=f"CF-{n}", content=CONTENT)
                if n % 4 == 0:
                    raise KeyError("rolled back")
        except KeyError:
            return None
        return made.number

    numbers = [n for n in worked(together(20, act)) if n]
    assert sorted(numbers) == [f"INV-{n:04d}" for n in range(1, 16)]
    assert Document.objects.count() == 15


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_a_number_that_is_taken_back_goes_to_whoever_waited_for_it() -> None:
    taken, go_back = threading.Event(), threading.Event()

    def act(n: int) -> str | None:
        if n == 0:
            try:
                with writing():
                    number = documents.next_number("invoice")
                    assert number == "INV-0001"
                    taken.set()
                    go_back.wait(10)
                    raise KeyError
            except KeyError:
                return None
        taken.wait(10)
        threading.Timer(0.2, go_back.set).start()
        with writing():
            return documents.issue("invoice", subject="CF-1", content=CONTENT).number

    assert worked(together(2, act)) == [None, "INV-0001"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_many_who_print_a_paper_for_the_first_time_hold_the_same_one() -> None:
    with writing():
        made = documents.issue("invoice", subject="CF-1", content=content("invoice"))
    pdfs = worked(together(4, lambda n: documents.pdf(made)))
    kept = Rendering.objects.get()
    assert set(pdfs) == {bytes(kept.pdf)}
    assert kept.sha256 == hashlib.sha256(pdfs[0]).hexdigest()


@pytest.mark.django_db(transaction=True)
@pytest.mark.race
def test_of_many_who_print_for_the_parcel_at_once_one_holds_the_original() -> None:
    with writing():
        made = documents.issue("invoice", subject="CF-1", content=content("invoice"))
    original = documents.pdf(made)
    pdfs = worked(together(6, lambda n: documents.print_pdf(made, actor_name=f"Clerk {n}")))
    assert sum(pdf == original for pdf in pdfs) == 1
    assert Printing.objects.count() == 6

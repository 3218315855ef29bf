"""Papers that stay as they were issued. Number, content and hash commit with the act; the PDF is made afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from counterfoil.core import clock, jobs, papers
from counterfoil.core.db import in_writing, is_postgres, read, rows, writing
from counterfoil.core.errors import Missing
from counterfoil.core.logos import for_paper
from counterfoil.core.models import Document, Printing, Rendering
from counterfoil.core.shop import shop

# Each numbered series and the kind of paper it numbers. Only these must have no gaps.
SERIES = {
    "sales-order": "SO",
    "card-receipt": "RC",
    "pick-list": "PL",
    "packing-slip": "PS",
    "invoice": "INV",
    "credit-note": "CN",
    "purchase-order": "PO",
    "evidence": "EV",
    "count-sheet": "CS",
}
# Papers that tell of the shop's own doings: only for who answers for the money, and in no list of an order's papers.
CONFIDENTIAL = ("evidence", "day-sheet")
PUBLIC_KINDS = (
    "web-order",
    "sales-order",
    "sales-order-copy",
    "card-receipt",
    "pick-list",
    "packing-slip",
    "invoice",
    "credit-note",
)


def next_number(kind: str) -> str:
    """Take the next number of the kind's series, inside the transaction that issues the paper.

    The series row stays locked until commit: a number is never given out twice and, since a rollback gives it back,
    never skipped.
    """
    if not in_writing():
        raise RuntimeError("a number is taken inside the transaction that uses it")
    prefix = SERIES[kind]
    taken = rows(
        "INSERT INTO core_series (prefix, next) VALUES (%s, 2) "
        "ON CONFLICT (prefix) DO UPDATE SET next = core_series.next + 1 RETURNING next - 1",
        [prefix],
    )
    return f"{prefix}-{int(taken[0][0]):04d}"


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of a document's content."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def issue(
    kind: str,
    *,
    subject: str,
    content: Mapping[str, Any],
    part: int = 1,
    version: int = 1,
    number: str | None = None,
    at: datetime | None = None,
) -> Document:
    """Issue a paper: freeze its content, hash it, number it unless a number is given, and owe its rendering."""
    number = number or next_number(kind)
    moment = at or clock.business_now()
    frozen = {**content, "number": number, "issued_at": moment.isoformat()}
    document = Document.objects.create(
        number=number,
        kind=kind,
        subject=subject,
        part=part,
        version=version,
        content=frozen,
        sha256=content_hash(frozen),
        issued_at=moment,
    )
    jobs.enqueue("core.render", key=number, payload={"number": number})
    return document


def pdf(document: Document, *, paper: str | None = None) -> bytes:
    """The document as PDF, in the shop's paper size: as it was first rendered, else rendered and kept now."""
    size = paper or shop().paper
    kept = Rendering.objects.filter(document=document, paper=size).first()
    if kept is not None:
        return bytes(kept.pdf)
    made = _drawn(document, size)
    with writing():
        Rendering.objects.bulk_create(
            [
                Rendering(
                    document=document,
                    paper=size,
                    pdf=made,
                    sha256=hashlib.sha256(made).hexdigest(),
                    made_at=clock.real_now(),
                )
            ],
            ignore_conflicts=True,
        )
        # Whoever was faster may have had another template; there is one paper of a number.
        return bytes(Rendering.objects.get(document=document, paper=size).pdf)


def print_pdf(document: Document, *, actor_name: str) -> bytes:
    """The PDF for the printer, noted with who and when; every copy after the first carries REPRINT."""
    with writing():
        if is_postgres():
            # One at a time: on SQLite they are anyway.
            rows("SELECT 1 FROM core_document WHERE id = %s FOR UPDATE", [document.pk])
        again = Printing.objects.filter(document=document).exists()
        Printing.objects.create(document=document, at=clock.business_now(), actor=actor_name)
    if not again:
        return pdf(document)
    return _drawn(document, shop().paper, reprint=True)


def picture(document: Document) -> bytes:
    """The first page as a small PNG, in the shop's paper size."""
    return papers.picture(document.kind, document.content, paper=_size(), logo=logo_of(document.content))


def logo_of(content: Mapping[str, Any]) -> bytes:
    """The picture that a paper's content names, however many logos the shop has had since. Raises Missing."""
    name = content["shop"].get("logo") if "shop" in content else None
    return for_paper(str(name)) if name else b""


def _size() -> Literal["a4", "letter"]:
    return "letter" if shop().paper == "letter" else "a4"


def _drawn(document: Document, size: str, *, reprint: bool = False) -> bytes:
    return papers.render(
        document.kind,
        document.content,
        paper="letter" if size == "letter" else "a4",
        reprint=reprint,
        logo=logo_of(document.content),
    )


def issue_many(kind: str, papers_of: Mapping[str, tuple[str, Mapping[str, Any]]]) -> list[Document]:
    """Issue one paper of a kind for each of many subjects, each under a number that is given: (number, content)."""
    moment = clock.business_now()
    made = []
    for subject, (number, content) in papers_of.items():
        frozen = {**content, "number": number, "issued_at": moment.isoformat()}
        made.append(
            Document(
                number=number,
                kind=kind,
                subject=subject,
                content=frozen,
                sha256=content_hash(frozen),
                issued_at=moment,
            )
        )
    Document.objects.bulk_create(made)
    jobs.enqueue_many("core.render", payloads={d.number: {"number": d.number} for d in made})
    return made


def pdfs(found: Sequence[Document]) -> list[bytes]:
    """Many documents as PDF, in the shop's paper size: two statements, whatever had to be rendered."""
    size = shop().paper
    kept = dict(Rendering.objects.filter(document__in=found, paper=size).values_list("document_id", "pdf"))
    made = []
    for document in found:
        if document.pk not in kept:
            body = _drawn(document, size)
            kept[document.pk] = body
            digest = hashlib.sha256(body).hexdigest()
            made.append(Rendering(document=document, paper=size, pdf=body, sha256=digest, made_at=clock.real_now()))
    if made:
        with writing():
            Rendering.objects.bulk_create(made, ignore_conflicts=True)
    return [bytes(kept[document.pk]) for document in found]


def mark_printed(found: Sequence[Document], *, actor_name: str) -> list[Document]:
    """Note who printed these just now, but for those that were printed before; gives those that were not."""
    ids = sorted(d.pk for d in found)
    with writing():
        if is_postgres() and ids:
            # One at a time, as in `print_pdf`.
            marks = ", ".join(["%s"] * len(ids))
            rows(f"SELECT 1 FROM core_document WHERE id IN ({marks}) ORDER BY id FOR UPDATE", ids)
        before = set(Printing.objects.filter(document__in=ids).values_list("document_id", flat=True))
        fresh = [d for d in found if d.pk not in before]
        now = clock.business_now()
        Printing.objects.bulk_create(Printing(document=d, at=now, actor=actor_name) for d in fresh)
    return fresh


def reprint(found: Sequence[Document], *, actor_name: str) -> list[bytes]:
    """Papers that were printed before, once more: REPRINT stands on each page, and who printed them is noted."""
    bodies = [_drawn(document, shop().paper, reprint=True) for document in found]
    now = clock.business_now()
    with writing():
        Printing.objects.bulk_create(Printing(document=d, at=now, actor=actor_name) for d in found)
    return bodies


def find(number: str) -> Document:
    """A document by its number. Raises Missing."""
    found = read(Document, "WHERE number = %s", [number])
    if not found:
        raise Missing(f"there is no document {number}")
    return found[0]


def newest(subject: str, kind: str, *, part: int | None = None) -> Document | None:
    """The newest document of a kind on an order; None when there is none yet."""
    only = "" if part is None else " AND part = %s"
    params = [subject, kind] if part is None else [subject, kind, part]
    found = read(Document, f"WHERE subject = %s AND kind = %s{only} ORDER BY id DESC LIMIT 1", params)
    return found[0] if found else None


@jobs.handler("core.render", lease=60)
def render_job(payload: dict[str, Any]) -> None:
    """Render a document that was issued."""
    pdf(find(str(payload["number"])))

"""The shop's logo: only its pixels are kept, small enough for every page, and each paper keeps the one that it had."""

from __future__ import annotations

import base64
import random
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from counterfoil.core import documents, logos, shop, triggers
from counterfoil.core.db import writing
from counterfoil.core.models import Document, Logo, Rendering
from counterfoil.core.papers.tests.samples import content
from counterfoil.desk.settings.form import shown
from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.desk.tests.build import at_the_desk, product
from counterfoil.flow.settings import settings_mark
from counterfoil.flow.verify.papers import hashes
from counterfoil.records.orders.slip import paper_shop
from tests.support import png

# A JPEG of 32 x 16 pixels.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4gHYSUNDX1BST0ZJTEUAAQEAAAHIAAAAAAQwAABtbnRyUkdCIFhZWiAH4AABAAEAAAAAAABhY3NwAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAA9tYAAQAAAADTLQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAlkZXNjAAAA8AAAACRyWFlaAAABFAAAABRnWFlaAAABKAAAABRiWFlaAAABPAAAABR3dHB0AAABUAAAABRyVFJDAAABZAAAAChnVFJDAA"
    "ABZAAAAChiVFJDAAABZAAAAChjcHJ0AAABjAAAADxtbHVjAAAAAAAAAAEAAAAMZW5VUwAAAAgAAAAcAHMAUgBHAEJYWVogAAAAAAAAb6IAADj1"
    "AAADkFhZWiAAAAAAAABimQAAt4UAABjaWFlaIAAAAAAAACSgAAAPhAAAts9YWVogAAAAAAAA9tYAAQAAAADTLXBhcmEAAAAAAAQAAAACZmYAAP"
    "KnAAANWQAAE9AAAApbAAAAAAAAAABtbHVjAAAAAAAAAAEAAAAMZW5VUwAAACAAAAAcAEcAbwBvAGcAbABlACAASQBuAGMALgAgADIAMAAxADb/"
    "2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/2wBDARweHigjKE4rK0"
    "6kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAQACADASIAAhEBAxEB/8QAFQABAQAA"
    "AAAAAAAAAAAAAAAAAAX/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFQEBAQAAAAAAAAAAAAAAAAAAAAT/xAAUEQEAAAAAAAAAAAAAAAAAAAAA/9"
    "oADAMBAAIRAxEAPwCWALQAH//Z"
)


@contextmanager
def triggers_off() -> Iterator[None]:
    triggers.run(triggers.remove(("core_logo",)))
    yield
    triggers.run(triggers.install(("core_logo",)))


def chosen(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def keep(desk: Client, **more: Any) -> Any:
    shop.forget()
    form = {"seen": str(settings_mark()), **shown(SECTIONS["shop"], shop.shop()), **more}
    answer = desk.post("/desk/settings/shop", form)
    shop.forget()
    return answer


def test_only_the_pixels_of_a_file_are_kept() -> None:
    kind, hidden = b"tEXt", b"Comment\0<script>alert(1)</script>"
    chunk = struct.pack(">I", len(hidden)) + kind + hidden + struct.pack(">I", zlib.crc32(kind + hidden))
    plain = png(600, 200)
    drawn = logos.draw(plain[:33] + chunk + plain[33:] + b"<?php system('id') ?>")
    assert b"script" not in drawn.paper + drawn.screen
    assert b"php" not in drawn.paper + drawn.screen
    assert drawn == logos.draw(plain), "the same picture has the same name"
    assert (drawn.width, drawn.height) == (120, 40)
    assert struct.unpack(">II", drawn.screen[16:24]) == (240, 80)
    assert struct.unpack(">II", drawn.paper[16:24]) == (600, 200)
    photo = logos.draw(JPEG)
    assert (photo.width, photo.height, photo.screen[:4]) == (32, 16, b"\x89PNG")


def test_a_picture_as_rich_as_can_be_stays_within_what_a_page_and_a_paper_may_weigh() -> None:
    drawn = logos.draw(png(600, 200, noise=random.Random(7)))
    assert len(drawn.screen) <= logos.SCREEN_BYTES
    assert len(drawn.paper) <= logos.PAPER_BYTES
    assert (drawn.width, drawn.height) == (120, 40)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "the file is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "this is an SVG"),
        (b"GIF89a....", "this is a GIF"),
        (b"MZ something", "choose a PNG or a JPEG"),
        (png(600, 200)[:400], "cannot be read to its end"),
        (png(600, 200)[:60] + b"\0" * 200, "cannot be read to its end"),
        (JPEG[:60], "does not say how large it is"),
        (png(20, 8), "at least 32"),
        (png(1300, 100), "too long and thin"),
        (
            png(600, 200).replace(struct.pack(">II", 600, 200), struct.pack(">II", 60_000, 60_000)),
            "at most 5,000 a side",
        ),
        (b"\0" * 2_000_001, "at most 2 MB"),
    ],
)
@pytest.mark.django_db
def test_a_file_that_is_no_good_is_refused_at_its_field_and_nothing_is_kept(data: bytes, why: str) -> None:
    answer = keep(at_the_desk("owner"), name="Hill House", **{"logo.file": chosen(data)})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert why in page.partition('id="e-logo"')[2][:120]
    assert 'value="Hill House"' in page, "what else was typed is still there"
    assert shop.shop().logo == {}
    assert not Logo.objects.exists()


@pytest.mark.django_db
def test_the_owner_sees_it_keeps_it_and_takes_it_away_and_the_log_says_so() -> None:
    desk, visitor = at_the_desk("owner"), Client()
    product("PINOT")
    seen = keep(desk, **{"logo.file": chosen(png(600, 200)), "do": "look logo"}).content.decode()
    assert "Not kept yet" in seen
    assert shop.shop().logo == {}
    # Another field is wrong: the picture need not be chosen again.
    again = keep(desk, email="nowhere", **{"logo.file": chosen(png(600, 200))})
    name = Logo.objects.get().name
    assert (again.status_code, f'name="logo" value="{name}"' in again.content.decode()) == (422, True)
    assert keep(desk, logo=name).status_code == 303
    head = visitor.get("/").content.decode()
    assert f'src="/logo/{name}.png" width="120" height="40" alt="Counterfoil"' in head
    answer = visitor.get(f"/logo/{name}.png")
    assert answer.content == logos.draw(png(600, 200)).screen
    assert (answer["Content-Type"], "immutable" in answer["Cache-Control"]) == ("image/png", True)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert {visitor.get(f"/logo/{other}.png").status_code for other in ("a" * 32, "no", "A-1")} == {404}
    mail = desk.get("/desk/settings/mails/shipped/preview").content.decode()
    assert f'/logo/{name}.png" width="120" height="40" alt="Counterfoil"' in mail
    assert keep(desk, **{"logo.remove": "yes"}).status_code == 303
    assert f"/logo/{name}" not in visitor.get("/").content.decode()
    log = desk.get("/desk/settings/log").content.decode()
    assert log.count(f"a picture of 120 × 40 ({name[:6]})") == 2
    assert visitor.get(f"/logo/{name}.png").status_code == 200, "mails that went out still show it"
    assert keep(desk, logo="b" * 32).status_code == 422
    assert keep(at_the_desk("clerk"), **{"logo.file": chosen(png(64, 64))}).status_code == 403
    assert Logo.objects.count() == 1


@pytest.mark.django_db
def test_papers_keep_the_logo_that_they_were_issued_with() -> None:
    def issued(number: str) -> Document:
        with writing():
            return documents.issue(
                "invoice", subject=number, content=content("invoice") | {"shop": paper_shop(shop.shop())}
            )

    def drawn_again(paper: Document) -> bytes:
        Rendering.objects.all().delete()
        return documents.pdf(paper)

    def change(data: bytes) -> None:
        found = logos.keep(data) if data else {}
        with writing():
            shop.change(logo=found)

    papers, pdfs = [], []
    for at, picture in enumerate((b"", png(600, 200), png(300, 300), b"")):
        change(picture)
        papers.append(issued(f"CF-{at}"))
        pdfs.append(documents.pdf(papers[-1]))
    assert [b"/Subtype/Image" in pdf.replace(b" ", b"") for pdf in pdfs] == [False, True, True, False]
    assert [drawn_again(paper) for paper in papers] == pdfs
    assert hashes() == []
    with triggers_off():
        Logo.objects.filter(name=papers[1].content["shop"]["logo"]).delete()
    assert hashes() == [f"{papers[1].number}: the logo that it carries is not there"]

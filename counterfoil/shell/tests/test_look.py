"""What holds for every page: colours that can be read, nothing inline, files that may be kept for a year."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from counterfoil.shell.assets import FOLDER, assets, static_url
from counterfoil.shell.jinja import environment

HOUSE = Path(__file__).parents[2]
TOKENS = (FOLDER / "css" / "tokens.css").read_text()
# Ink and the grounds that it is printed on.
PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "wine") for ground in ("paper", "card", "sunk", "wine-bg")),
    *((name, ground) for name in ("ok", "warn", "bad", "info") for ground in (f"{name}-bg", "card", "paper")),
    ("on-wine", "wine"),
    ("on-wine", "wine-deep"),
]


def _colour(name: str, scheme: int) -> tuple[float, float, float]:
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS)
    assert found, name
    text = found[1 + scheme]
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _light(colour: tuple[float, float, float]) -> float:
    """Relative luminance as WCAG defines it."""
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str, scheme: int) -> float:
    a, b = sorted((_light(_colour(one, scheme)), _light(_colour(other, scheme))), reverse=True)
    return (a + 0.05) / (b + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_every_ink_can_be_read_on_its_ground(ink: str, ground: str, scheme: int) -> None:
    assert _contrast(ink, ground, scheme) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "card"])
def test_the_edge_of_a_field_can_be_seen(ground: str, scheme: int) -> None:
    assert _contrast("edge", ground, scheme) >= 3


def _pages() -> list[Path]:
    return [p for p in HOUSE.rglob("templates/**/*.html") if "mail" not in p.parts]


def test_no_page_carries_a_script_or_a_style_in_itself() -> None:
    inline = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)
    found = {p.name: inline.findall(p.read_text()) for p in _pages()}
    assert len(found) > 10
    assert not {name: hits for name, hits in found.items() if hits}


def test_every_template_compiles() -> None:
    made = environment()
    for path in _pages():
        made.get_template(path.relative_to(next(p for p in path.parents if p.name == "templates")).as_posix())


def test_plain_mails_are_not_escaped_and_pages_are() -> None:
    made = environment()
    assert made.from_string("{{ x }}").render(x="<&>") == "&lt;&amp;&gt;"
    assert callable(made.autoescape)
    assert not made.autoescape("mail/promised.txt")
    assert made.autoescape("mail/promised.html")


def test_a_file_is_kept_for_a_year_under_its_hash_and_asked_for_again_without() -> None:
    for name in assets():
        lasting = Client().get(static_url(name))
        assert (lasting.status_code, "immutable" in lasting["Cache-Control"]) == (200, True), name
    plain = Client().get(reverse("static", args=["css/base.css"]), headers={"Accept-Encoding": "gzip"})
    assert (plain["Cache-Control"], plain["Content-Encoding"]) == ("no-cache", "gzip")
    assert Client().get("/static/css/base.css", headers={"If-None-Match": plain["ETag"]}).status_code == 304
    assert Client().get("/static/../settings.py").status_code == 404


def test_a_row_that_folds_on_a_phone_names_each_figure_as_its_column_does() -> None:
    tables = [
        (path.name, table)
        for path in sorted(HOUSE.glob("**/templates/**/*.html"))
        for table in re.findall(r'<table class="sheet folds">.*?</table>', path.read_text(), re.DOTALL)
    ]
    assert len(tables) >= 6
    for name, table in tables:
        heads = re.findall(r"<th[^>]*>([^<]+)</th>", table)
        labels = re.findall(r'data-label="([^"]+)"', table)
        assert [head for head in heads if head in labels] == labels, name
        # What has no name of its own says by itself what it is: the first of a row, words, a state.
        unnamed = [cell for cell in re.findall(r"<td[^>]*>", table) if "data-label" not in cell and "words" not in cell]
        assert len(unnamed) <= 3, (name, unnamed)

"""Names of all the world print; no word of a customer does anything but print."""

import random
import sys
from datetime import UTC, datetime

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from counterfoil.core.papers import KINDS, render
from counterfoil.core.papers.check import checked
from counterfoil.core.papers.content import Kind
from counterfoil.core.papers.coverage import FONTS, characters, printable
from counterfoil.core.papers.engine import compiled
from counterfoil.core.papers.tests.reading import text, undefined_glyphs
from counterfoil.core.papers.tests.samples import NAMES, content
from counterfoil.core.papers.text import MISSING, clean, shortened

HOSTILE = [
    '#read("/etc/passwd")',
    "*bold*",
    "_under_",
    "<b>fat</b>",
    "$x$",
    "@ref",
    "// gone",
    "= Head",
    "\\u{41}",
    "#panic()",
]

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_customers_name_is_in_the_paper_with_every_glyph(kind: Kind, name: str) -> None:
    given = content(kind, name=name)
    given["ship_to"]["name"] = name
    pdf = render(kind, given)
    # A receipt names its customer in bill_to, a purchase order the place of delivery in ship_to.
    assert name in text(pdf)
    assert undefined_glyphs(pdf) == 0


@pytest.mark.parametrize("words", HOSTILE)
def test_what_a_customer_writes_is_printed_as_written_and_never_evaluated(words: str) -> None:
    given = content("packing-slip", name=f"{words} Smith")
    given["lines"][0]["name"] = given["gift_note"] = given["reference"] = words
    printed = text(render("packing-slip", given))
    assert printed.count(words) >= 5
    assert "root:" not in printed


def test_text_from_right_to_left_and_emoji_are_printed() -> None:
    given = content("packing-slip", name="שלום לוי")
    given["gift_note"] = "🎁 ❤️ 👨‍👩‍👧 🇫🇷 مرحبا"
    pdf = render("packing-slip", given)
    assert "🎁" in text(pdf)
    assert undefined_glyphs(pdf) == 0


def test_a_character_that_no_font_has_becomes_an_empty_box() -> None:
    assert clean("a\U00012000b") == f"a{MISSING}b"
    assert clean("a\ud800b\ue000c") == f"a{MISSING}b{MISSING}c"
    assert ord(MISSING) in printable()


def test_a_mark_stays_only_on_a_letter_of_a_font_that_has_both() -> None:
    assert clean("\u2605\u0e34\u0301") == "\u2605"
    assert clean("q\u0301") == "q\u0301"
    assert clean("\u0e01\u0e34") == "\u0e01\u0e34"


def test_words_that_break_the_standard_still_make_a_paper() -> None:
    fields = checked("packing-slip", content("packing-slip"))
    fields["gift_note"] = "a\U00012000b"
    data = {"paper": "a4", "reprint": False, "scanned": "CF-1047", "who": "Zoë", "bars": [1, 1, 1], "content": fields}
    pdf = compiled("packing-slip", data, datetime(2026, 11, 23, tzinfo=UTC))
    assert "Alder Ridge" in text(pdf)
    assert undefined_glyphs(pdf) == 1


def test_controls_vanish_and_line_breaks_stay_only_in_prose() -> None:
    assert clean("a\x00b\u202ec\u200fd\ufeff") == "abcd"
    assert clean("a\r\nb\u2028c\td") == "a b c d"
    assert clean("a\r\nb\u2028c\td", line_breaks=True) == "a\nb\nc d"
    assert clean("e\u0301") == "é"


def test_joiners_stay_between_letters_and_go_between_emoji() -> None:
    assert clean(PERSIAN) == PERSIAN
    assert clean("👨\u200d👩") == "👨👩"


def test_a_word_without_end_gets_places_to_break() -> None:
    assert clean("x" * 30) == "x" * 14 + "\u200b" + "x" * 14 + "\u200b" + "xx"
    assert clean("x" * 27) == "x" * 27


def test_a_long_name_is_shortened_with_an_ellipsis() -> None:
    assert shortened("Zoë", 3) == "Zoë"
    assert shortened("Zoë Brontë", 5) == "Zoë…"


@pytest.mark.parametrize("font", sorted(FONTS.glob("*.ttf")), ids=lambda font: font.stem)
def test_we_read_a_fonts_characters_as_fonttools_does(font: object) -> None:
    assert characters(font) == set(TTFont(font).getBestCmap())  # type: ignore[arg-type]


def test_any_unicode_at_all_makes_a_paper_without_undefined_glyphs() -> None:
    dice = random.Random(1047)
    drawable = sorted(printable())
    for _ in range(25):
        strange = "".join(chr(dice.randrange(sys.maxunicode + 1)) for _ in range(20))
        known = "".join(chr(dice.choice(drawable)) for _ in range(120))
        given = content("packing-slip", name=known)
        given["gift_note"], given["lines"][0]["name"] = known[::-1] + strange, strange + known
        assert undefined_glyphs(render("packing-slip", given)) == 0


def test_fonts_stay_small_and_carry_their_licences() -> None:
    assert sum(file.stat().st_size for file in FONTS.iterdir()) < 8_000_000
    assert "SIL OPEN FONT LICENSE" in (FONTS / "LICENSE-Noto.txt").read_text()
    assert "Apache License" in (FONTS / "LICENSE-DroidSansFallback.txt").read_text()

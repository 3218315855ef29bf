"""The shop's own words in a mail: placeholders are filled in, unknown ones named; the facts stay where they are."""

from __future__ import annotations

import pytest

from counterfoil.gateways.mail.wording import check_words, dressed, fill, with_words

CONTEXT = {"subject": "CF-1: ships Fri", "name": "June", "number": "CF-1", "total": "$9", "shop": "Hill", "date": "Fri"}
BODY = "Hello June,\n\nwe ship on Fri.\n\nYour order: x\n\nHill\n"


def test_placeholders_are_filled_in_and_no_word_of_the_customers_is_read_as_one() -> None:
    assert fill("promised", "{name}: {ship_date}, {number}", CONTEXT) == "June: Fri, CF-1"
    assert fill("promised", "{name}", {**CONTEXT, "name": "{number}"}) == "{number}"
    assert fill("confirmation", "on {ship_date}!", CONTEXT) == "on !", "this mail does not know it, and goes anyhow"


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("opening", "Dear {nam}", "{nam} stands for nothing here; there are {name}"),
        ("closing", "{ship_date}", "{ship_date} stands for nothing"),
        ("opening", "a { alone", "a brace stands alone"),
        ("opening", "{{name}}", "a brace stands alone"),
        ("subject", "two\nlines", "one line"),
        ("subject", "x" * 151, "at most 150"),
        ("closing", "x" * 2001, "at most 2,000"),
    ],
)
def test_what_a_mail_cannot_say_is_refused_at_its_field(part: str, text: str, said: str) -> None:
    ((where, why),) = check_words("confirmation", {part: text})
    assert where == part
    assert said in why


def test_the_shops_words_stand_after_the_greeting_and_before_its_name() -> None:
    words = {"subject": "{shop}: {number}", "opening": "How nice, {name}.\n\nReally.", "closing": "See you."}
    context = dressed("promised", CONTEXT, words)
    assert context["subject"] == "Hill: CF-1"
    assert context["opening"] == ["How nice, June.", "Really."]
    assert with_words(BODY, context) == (
        "Hello June,\n\nHow nice, June.\n\nReally.\n\nWe ship on Fri.\n\nYour order: x\n\nSee you.\n\nHill\n"
    )


def test_without_words_a_mail_is_as_it_was() -> None:
    for context in (dressed("promised", CONTEXT, {}), dressed("purchase_order", CONTEXT, {"opening": "Hi"})):
        assert context == CONTEXT
        assert with_words(BODY, context) == BODY.replace("we ship", "We ship")
    loose = "Hello June,\n\n\nwe ship.\n\n\n\nHill\n"
    assert with_words(loose, CONTEXT) == "Hello June,\n\nWe ship.\n\nHill\n"

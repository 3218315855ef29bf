"""What a customer is found by: names without accents, telephone numbers however they are written."""

from __future__ import annotations

import pytest

from counterfoil.records.customers.keys import fold, keys_of, last_name, phone_beginnings, phone_key, says_phone


@pytest.mark.parametrize(
    ("written", "country", "key"),
    [
        ("+1 503 555 0101", "US", "15035550101"),
        ("(503) 555-0101", "US", "15035550101"),
        ("503.555.0101", "US", "15035550101"),
        ("+1 503 555 0101 ext 7", "US", "15035550101"),
        ("030 23125 124", "DE", "493023125124"),
        ("0049 30 23125-124", "US", "493023125124"),
        ("+44 (0)20 7946 0122", "FR", "442079460122"),
        ("+39 02 1234567", "US", "39021234567"),
        ("ring the bell", "US", ""),
        ("", "US", ""),
    ],
)
def test_one_number_has_one_key_however_it_is_written(written: str, country: str, key: str) -> None:
    assert phone_key(written, country) == key


@pytest.mark.parametrize("typed", ["503", "(503) 555", "+1503555", "15035550101", "001 503 555 01", "503-555-0101"])
def test_a_number_that_is_being_typed_begins_the_key(typed: str) -> None:
    assert says_phone(typed)
    assert any("15035550101".startswith(begun) for begun in phone_beginnings(typed, "US"))


def test_names_are_typed_without_accents_and_by_their_last_word() -> None:
    assert fold("  Zoë   Brontë ") == "zoe bronte"
    assert fold("Łukasz Żółć") == "lukasz zolc"
    assert fold("Søren Ærø") == "soren aero"
    assert fold("山田 花子") == "山田 花子"
    assert last_name(fold("D’Angelo Freeman Jr.")) == "freeman"
    assert last_name(fold("Sunny Delacroix 🌻")) == "delacroix"
    assert last_name("") == ""


def test_who_gave_no_number_has_no_key_for_one() -> None:
    assert keys_of("Bo Li", "", "US") == {"name_key": "bo li", "last_key": "li", "phone_key": ""}


@pytest.mark.parametrize("typed", ["zoe", "12", "Room 1207", "zoe@example.com"])
def test_what_has_letters_is_no_number(typed: str) -> None:
    assert not says_phone(typed)

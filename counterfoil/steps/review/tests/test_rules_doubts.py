"""What a reviewer is told to look at twice, and what not."""

from __future__ import annotations

import pytest

from counterfoil.steps.review.doubts import address_doubts, email_doubts

NAPA = {"street": "1 Mill Lane", "city": "Napa", "postcode": "94558", "state": "CA", "country": "US"}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, ""),
        ({"postcode": "94558-1234", "state": "California"}, ""),
        ({"postcode": "10001"}, "postcode 10001"),
        ({"postcode": ""}, "no postcode"),
        ({"state": "Bavaria"}, "state Bavaria"),
        ({"street": "P.O. Box 12"}, "post-office box"),
        ({"street": "Mill Lane"}, "no number"),
        ({"country": "GB", "city": "London", "postcode": "SW1A 1AA", "state": ""}, ""),
        ({"country": "JP", "city": "Tokyo", "postcode": "100-0001", "state": ""}, "no state"),
    ],
)
def test_an_address_is_doubted_where_its_country_would_not_know_it(change: dict[str, str], word: str) -> None:
    found = address_doubts({**NAPA, **change})
    assert (word in found[0]) if word else not found, found


@pytest.mark.parametrize(
    ("email", "meant"),
    [
        ("june@gmial.com", "gmail.com"), ("june@gmai.com", "gmail.com"), ("june@hotmaill.com", "hotmail.com"),
        ("june@outlok.com", "outlook.com"), ("june@example.com", ""), ("june@gmail.com", ""), ("june@gmx.at", ""),
        ("june@mail.com", ""), ("no address", ""),
    ],
)  # fmt: skip
def test_a_misspelt_mail_domain_is_seen(email: str, meant: str) -> None:
    assert email_doubts(email) == ([f"{email.rpartition('@')[2]}: is {meant} meant?"] if meant else [])

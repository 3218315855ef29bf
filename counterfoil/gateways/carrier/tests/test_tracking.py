"""Following a parcel: the link that a customer gets, and numbers that give themselves away."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from counterfoil.gateways.carrier.check_digits import s10, ups, weighted_mod10
from counterfoil.gateways.carrier.tracking import CARRIERS, find_carrier, recognise, tracking_url

UPS = "1Z999AA10123456784"


@pytest.mark.parametrize("typed", ["Royal Mail", "royal mail", "ROYAL-MAIL", "  RoyalMail "])
def test_a_carrier_is_known_however_its_name_is_typed(typed: str) -> None:
    assert tracking_url(typed, "AB123456785GB").startswith("https://www.royalmail.com/")


def test_a_carrier_that_we_do_not_know_has_no_page() -> None:
    assert tracking_url("Uncle Bob's van", "12345") == ""
    assert find_carrier("") is None


def test_a_number_cannot_break_out_of_its_link() -> None:
    made = tracking_url("UPS", ' 1Z 9/"&x=<b>#é ')
    assert made == "https://www.ups.com/track?tracknum=1Z%209%2F%22%26x%3D%3Cb%3E%23%C3%A9"


def test_every_page_is_https_and_carries_the_number_once() -> None:
    for carrier in CARRIERS:
        made = tracking_url(carrier.name, "A1B2")
        assert urlsplit(made).scheme == "https"
        assert made.count("A1B2") == 1
        assert "{" not in made


def test_no_two_carriers_answer_to_one_name() -> None:
    keys = [k for c in CARRIERS for k in ("".join(x for x in c.name.lower() if x.isalnum()), *c.aliases)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("number", "carrier"),
    [
        (UPS, "UPS"),
        ("1z 999 aa1 01 2345 6784", "UPS"),
        ("7112 3456 7891 2345 6787", "USPS"),
        ("9400 1112 0108 0805 4830 16", "USPS"),
        ("477179081230", "FedEx"),
        ("RR123456785US", "USPS"),
        ("RR123456785GB", "Royal Mail"),
        ("RR123456785SE", "PostNord"),
        ("1234567891", "DHL"),
    ],
)
def test_a_number_tells_whose_it_is(number: str, carrier: str) -> None:
    assert recognise(number) == [carrier]


@pytest.mark.parametrize("number", [UPS, "9400111201080805483016", "477179081230", "RR123456785US", "1234567891"])
def test_one_mistyped_digit_is_noticed(number: str) -> None:
    owner = recognise(number)[0]
    noticed = 0
    last = max(i for i, c in enumerate(number) if c.isdigit())
    for digit in "0123456789":
        if digit != number[last]:
            noticed += owner not in recognise(number[:last] + digit + number[last + 1 :])
    assert noticed == 9


@pytest.mark.parametrize("number", ["", "1Z", "hello", "1Z999AA1012345678٤", "٤٧٧١٧٩٠٨١٢٣٠", "0" * 23, "-" * 40])
def test_what_is_no_number_belongs_to_nobody(number: str) -> None:
    assert recognise(number) == []


def test_letters_of_a_ups_number_count_from_two() -> None:
    # A = 2 in an odd place: alone it wants the check digit 8.
    assert ups("1Z" + "A" + "0" * 14 + "8")
    assert not ups("1Z" + "A" + "0" * 14 + "7")
    # I = 10, which counts as 0.
    assert ups("1Z" + "I" + "0" * 14 + "0")


def test_s10_has_two_special_check_digits() -> None:
    # A remainder of 0 gives 5 and a remainder of 1 gives 0.
    assert s10("RR000000005US", "US")
    assert s10("RR000000310US", "US")
    assert not s10("RR000000006US", "US")


def test_the_post_and_gs1_share_one_check_digit() -> None:
    assert weighted_mod10("4006381333931")
    assert not weighted_mod10("4006381333932")

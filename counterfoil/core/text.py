"""Text that people send us: what cannot be stored is refused, what looks like a card number is masked."""

from __future__ import annotations

import re

_CARD = re.compile(r"(?<![\d])(?:\d[ \-.\u00a0]?){12,18}\d(?![\d])")


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number fits."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def looks_like_card(digits: str) -> bool:
    """A Luhn-valid run of 13 to 19 digits that starts as the card networks' numbers do."""
    return 13 <= len(digits) <= 19 and digits[0] in "23456" and luhn(digits)


def mask_cards(text: str) -> str:
    """Replace all but the last four digits of anything that is a card number: none may reach our tables or logs."""

    def hide(found: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", found.group())
        return f"[card number ending in {digits[-4:]} removed]" if looks_like_card(digits) else found.group()

    return _CARD.sub(hide, text)


def storable(text: str) -> bool:
    """False for text with a NUL byte or a lone surrogate: PostgreSQL cannot keep it."""
    return "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def clean(text: str) -> str:
    """Text as we keep it: trimmed, cards masked. Raises ValueError for what cannot be stored."""
    if not storable(text):
        raise ValueError("contains characters that cannot be stored (NUL or half of a surrogate pair)")
    return mask_cards(text.strip())

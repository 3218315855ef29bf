"""Card numbers in feeds. Old shops kept them whole, and customers type them into any field there is."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

from counterfoil.core.text import looks_like_card, mask_cards

# Digits with anything between them that people put there: blanks, dots, dashes, slashes, line breaks.
_RUN = re.compile(r"(?<![\d+])\d(?:[\s.\-\u2010-\u2015/_,:]{0,3}\d){11,}")
_GROUP = re.compile(r"\d+")
# How the networks print their numbers; a window over groups of any length would hit tracking numbers too often.
_SHAPES = ((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 5), (6, 10), (6, 13), (8, 8))
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_LONGEST_TRACKING = range(20, 23)  # USPS: 20 or 22 digits, the first a 9


def mask(text: str) -> str:
    """`text` with every card number in it replaced, all but its last four digits."""
    if len(text) < 12 or sum(map(str.isdecimal, text)) < 12:
        return text
    return mask_cards(_RUN.sub(lambda found: _hide(found.group()), text))


def mask_raw(text: str) -> str:
    """The same for a line that could not be parsed, in which digits may stand as JSON escapes."""
    return mask(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def mask_tree(value: Any) -> Any:
    """The same for a parsed line: every text, every number, every name of a field."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(str(k)): mask_tree(v) for k, v in value.items()}
    if isinstance(value, list):
        return [mask_tree(v) for v in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
        return value if mask(text) == text else mask(text)
    return value


def says_card(text: str) -> bool:
    """Whether there is a card number in it."""
    return mask(text) != text


def is_trade_number(text: str) -> bool:
    """A GTIN-14 (the number on a case of goods): one in ten that begin like a Diners card would pass for one."""
    if not (text.isascii() and text.isdigit() and len(text) == 14):
        return False
    weighted = sum(int(c) * (3 if place % 2 == 0 else 1) for place, c in enumerate(reversed(text[:-1])))
    return (10 - weighted % 10) % 10 == int(text[-1])


def _hide(run: str) -> str:
    """One run of digits: the windows over its groups that are shaped, and add up, like a card number."""
    groups = list(_GROUP.finditer(run))
    digits = [_ascii(g.group()) for g in groups]
    whole = "".join(digits)
    if whole[0] == "9" and len(whole) in _LONGEST_TRACKING:
        return run
    out, kept, at = [], 0, 0
    while at < len(groups):
        size = _card_at(digits, at)
        if size:
            number = "".join(digits[at : at + size])
            out += [run[kept : groups[at].start()], f"[card number ending in {number[-4:]} removed]"]
            kept = groups[at + size - 1].end()
            at += size
        else:
            at += 1
    return "".join([*out, run[kept:]])


def _card_at(digits: list[str], at: int) -> int:
    """How many groups from `at` on make a card number; 0 when none do."""
    if looks_like_card(digits[at]):
        return 1
    for shape in _SHAPES:
        found = digits[at : at + len(shape)]
        if tuple(len(g) for g in found) == shape and looks_like_card("".join(found)):
            return len(shape)
    everything = "".join(digits[at:])
    return len(digits) - at if at == 0 and looks_like_card(everything) else 0


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(c)) for c in digits)

"""Card numbers. None is kept here: people type them into any field there is, and old shops kept them whole."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Any

SHORTEST = 13  # digits
# Digits with anything between them that people, mail programs and tables put there.
_GAP = r"[\s.\-\u2010-\u2015\u00ad\u200b-\u200d\u2060\ufeff/_,:;|*]{0,3}"
_RUN = re.compile(rf"(?<!\d)\d(?:{_GAP}\d){{{SHORTEST - 1},}}")
_GROUP = re.compile(r"\d+")
# How the networks print their numbers; a window over groups of any length would hit tracking numbers too often.
_SHAPES = ((4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (4, 4, 5), (6, 10), (6, 13), (8, 8))
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
_LONGEST_TRACKING = range(20, 23)  # USPS: 20 or 22 digits, the first a 9
_TELEPHONE = 15  # digits of an international number at most (E.164)
# The code on the back, if somebody names it beside the number: nobody may keep that, ever.
_CODE = re.compile(r"\b(cv[vcn]2?|csc|cid|security code)\b(\W{0,3})\d{3,4}\b", re.IGNORECASE)
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
    """A run of digits with a card network's beginning and length, and a fitting check digit."""
    return bool(_NETWORKS.fullmatch(digits)) and luhn(digits)


def mask_cards(text: str) -> str:
    """`text` with every card number in it replaced by its last four digits; never longer than it was."""
    if len(text) < SHORTEST or sum(map(str.isdecimal, text)) < SHORTEST:
        return text
    masked = _RUN.sub(_hide, text)
    return masked if masked == text else _CODE.sub(r"\1\2•••", masked)


def mask_raw(text: str) -> str:
    """The same for a line that could not be parsed, in which digits may stand as JSON escapes."""
    return mask_cards(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))


def mask_tree(value: Any) -> Any:
    """The same for parsed JSON: every text, every number, every name of a field."""
    if isinstance(value, str):
        return mask_cards(value)
    if isinstance(value, dict):
        return {mask_cards(str(k)): mask_tree(v) for k, v in value.items()}
    if isinstance(value, list):
        return [mask_tree(v) for v in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
        return value if mask_cards(text) == text else mask_cards(text)
    return value


def says_card(text: str) -> bool:
    """Whether there is a card number in it."""
    return mask_cards(text) != text


def is_gtin(text: str) -> bool:
    """A number on a product's bar code: 8, 12, 13 or 14 digits (EAN, UPC, GTIN) with a check digit that fits."""
    if not (text.isascii() and text.isdigit() and len(text) in {8, 12, 13, 14}):
        return False
    weighted = sum(int(c) * (3 if place % 2 == 0 else 1) for place, c in enumerate(reversed(text[:-1])))
    return (10 - weighted % 10) % 10 == int(text[-1])


def is_trade_number(text: str) -> bool:
    """A GTIN-14 (the number on a case of goods): one in ten that begin like a Diners card would pass for one."""
    return len(text) == 14 and is_gtin(text)


def _hide(found: re.Match[str]) -> str:
    """One run of digits: the windows over its groups that are shaped, and add up, like a card number."""
    run = found.group()
    groups = list(_GROUP.finditer(run))
    digits = [_ascii(g.group()) for g in groups]
    whole = "".join(digits)
    if whole[0] == "9" and len(whole) in _LONGEST_TRACKING:
        return run
    # After a plus it is a telephone number, and a German one has as many digits as an old Visa card.
    if len(whole) <= _TELEPHONE and found.string[max(0, found.start() - 1)] == "+":
        return run
    out, kept, at = [], 0, 0
    while at < len(groups):
        size = _card_at(digits, at)
        if size:
            number = "".join(digits[at : at + size])
            out += [run[kept : groups[at].start()], f"•••• {number[-4:]}"]
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

"""Reading one field of a feed: what it must be, what it must not hold. Every wrong one is told with its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from counterfoil.core.cards import is_trade_number, mask_cards, says_card
from counterfoil.core.money import MAX_AMOUNT, parse_amount
from counterfoil.core.text import storable
from counterfoil.gateways.storefront.protocol import BadLine

_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,12})?")
# Old shops escape quotes on the way in and again on the way to the database.
_ESCAPES = re.compile(r"\\+(?=['\"])")
MOST_PRICE = MAX_AMOUNT // 1_000_000  # of one unit: times any quantity it stays exact
MOST = MAX_AMOUNT // 100  # of an order
MOST_RATE = 1_000_000  # 100 %, in millionths


def shown(value: object) -> str:
    """A wrong value for a message: short, cards masked, no control characters."""
    return mask_cards(repr(value) if isinstance(value, str) else str(value))[:60]


def text_of(value: object, field: str, most: int | None = None, *, needed: bool = False) -> str:
    """A text, trimmed, un-escaped, cards masked; a number becomes its digits. Raises BadLine."""
    if value is None:
        value = ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise BadLine(f"{field}: a text is needed")
    found = str(value)
    if "\x00" in found or not (found.isascii() or storable(found)):
        raise BadLine(f"{field}: holds characters that cannot be stored (NUL or half of a surrogate pair)")
    found = mask_cards(_ESCAPES.sub("", found).strip())
    if needed and not found:
        raise BadLine(f"{field}: must not be empty")
    if most is not None and len(found) > most:
        raise BadLine(f"{field}: at most {most} characters")
    return found


def key_of(value: object, field: str, most: int) -> str:
    """A text that things are found by: as it is, or not at all. Raises BadLine, also for a card number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadLine(f"{field}: a text is needed")
    found = str(value).strip()
    if not found:
        raise BadLine(f"{field}: must not be empty")
    if len(found) > most or not found.isprintable():
        raise BadLine(f"{field}: at most {most} printable characters")
    if says_card(found) and not is_trade_number(found):
        raise BadLine(f"{field}: looks like a card number")
    return found


def phone_of(value: object, field: str) -> str:
    """A telephone number. One in international form is not taken for a card number, however its digits add up."""
    return text_of(value, field)[:40].strip()


def email_of(value: object, field: str) -> str:
    """An e-mail address, judged leniently: the other shop has used it. Raises BadLine."""
    found = text_of(value, field, 254, needed=True)
    if "@" not in found[1:-1] or any(c.isspace() for c in found):
        raise BadLine(f"{field}: {shown(found)} is no e-mail address")
    return found


def number_of(value: object, field: str) -> Decimal:
    """A finite decimal number in plain writing. Raises BadLine for NaN, exponents and anything else."""
    text = str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text):
        raise BadLine(f"{field}: {shown(value)} is not a number")
    return Decimal(text)


def amount_of(value: object, field: str, currency: str, *, most: int = MOST) -> int:
    """'12.4900' USD -> 1249: zero or more, at most `most` minor units. Raises BadLine."""
    plain = number_of(value, field)
    try:
        found = parse_amount(str(plain), currency)
    except ValueError as error:
        raise BadLine(f"{field}: {error}") from None
    if not 0 <= found <= most:
        raise BadLine(f"{field}: {shown(value)} is out of range; zero or more is needed, within reason")
    return found


def whole_of(value: object, field: str, least: int, most: int) -> int:
    """A whole number as JSON writes it. Raises BadLine."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadLine(f"{field}: {shown(value)} is not a whole number")
    if not least <= value <= most:
        raise BadLine(f"{field}: {shown(value)} is out of range; it must be between {least} and {most}")
    return value


def rate_of(value: object, field: str) -> int:
    """'7.0000' per cent -> 70000 millionths. Raises BadLine."""
    found = number_of("0" if value is None else value, field) * 10_000
    if not 0 <= found <= MOST_RATE:
        raise BadLine(f"{field}: {shown(value)} is no tax rate; per cent between 0 and 100 are")
    return int(found.to_integral_value())


def moment_of(value: object, field: str) -> datetime:
    """'2026-11-23T00:23:48Z' in UTC. Raises BadLine, also for a time without a zone."""
    try:
        found = datetime.fromisoformat(value if isinstance(value, str) else "")
        if found.tzinfo is None:
            raise BadLine(f"{field}: {shown(value)} has no time zone; write 2026-11-23T00:23:48Z")
        return found.astimezone(UTC)
    except BadLine:
        raise
    except (ValueError, OverflowError):
        raise BadLine(f"{field}: {shown(value)} is not a time; write 2026-11-23T00:23:48Z") from None


def object_of(value: object, field: str) -> Mapping[str, Any]:
    """A JSON object. Raises BadLine."""
    if not isinstance(value, dict):
        raise BadLine(f"{field}: an object is needed")
    return value


def list_of(value: object, field: str) -> list[Mapping[str, Any]]:
    """A list of JSON objects; nothing is an empty one. Raises BadLine."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadLine(f"{field}: a list is needed")
    return [object_of(row, f"{field}.{at}") for at, row in enumerate(value)]

"""Text that people send us, by kind: what cannot be stored is refused, a card number is masked or refused."""

from __future__ import annotations

import logging
import re
from uuid import uuid4

from counterfoil.core.cards import is_gtin, is_trade_number, mask_cards, says_card

_NAME = r'[^\s@<>()\[\]\\,;:"]'
_EMAIL = re.compile(rf"{_NAME}+@({_NAME.replace('^', '^.')}{{1,63}}\.)*{_NAME.replace('^', '^.')}{{1,63}}")
# What a spreadsheet takes for a formula begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What follows a product's SKU in an address of the shop or of the API.
PAGES_OF_A_PRODUCT = ("label.svg", "availability", "reordering")
# Addresses that open something for whoever has them: an order's page, a mailed link.
_RIGHTS = re.compile(r"(/(?:orders|proposals|account/link|account/claim|desk/welcome)/[\w-]{4})[\w:.=-]{12,}")


def storable(text: str) -> bool:
    """False for text with a NUL byte or a lone surrogate: PostgreSQL cannot keep it."""
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def clean(text: str) -> str:
    """Prose as we keep it: trimmed, card numbers masked. Raises ValueError for what cannot be stored."""
    return mask_cards(plain(text))


def clean_key(text: str) -> str:
    """What things are found by (a reference, a lot, a bin): trimmed, and never masked, or two could become one.

    Raises ValueError for what looks like a card number.
    """
    kept = plain(text)
    if says_card(kept):
        raise ValueError("this looks like a card number; give a number of its own")
    return kept


def clean_sku(text: str) -> str:
    """A product's number. The one on a case of goods (GTIN-14) may look like a card's and stays; see `clean_key`."""
    return plain(text) if is_trade_number(text.strip()) else clean_key(text)


def clean_new_sku(text: str) -> str:
    """The SKU of a product that is to be made: what is a piece of an address everywhere must survive being one.

    Letters of any script, spaces, slashes and signs do, quoted. Raises ValueError for what does not: a browser drops
    the pieces `.` and `..` between slashes, and many a proxy an empty one; a line break cannot be typed or scanned.
    """
    kept = clean_sku(text)
    if not kept.isprintable():
        raise ValueError("contains a line break, a tab or another character that cannot be seen")
    pieces = kept.split("/")
    if kept and any(piece.strip() in ("", ".", "..") for piece in pieces):
        raise ValueError("nothing, or only dots, stands before or after a slash: it could not be a web address")
    if pieces[-1] in PAGES_OF_A_PRODUCT and len(pieces) > 1:
        raise ValueError(f"ends in /{pieces[-1]}, which is an address of the shop: give it another ending")
    return kept


def clean_barcode(text: str) -> str:
    """What a product is scanned by: an EAN, UPC or GTIN stays, though it may look like a card's; see `clean_key`."""
    bare = plain(text).replace(" ", "")
    return bare if is_gtin(bare) else clean_key(text)


def clean_phone(text: str) -> str:
    """A telephone number, trimmed. Raises ValueError for what looks like a card number; after a plus it is none."""
    kept = plain(text)
    if says_card(kept):
        raise ValueError("this looks like a card number; write a telephone number as +49 30 1234567")
    return kept


def clean_email(text: str) -> str:
    """An e-mail address, trimmed; whether it is one is for others to say. Raises ValueError for a card number in it."""
    kept = plain(text)
    if says_card(kept):
        raise ValueError("there is a card number in it; give an address without")
    return kept


def is_email(text: str) -> bool:
    """Whether it is one e-mail address, bare, to which a mail can be sent."""
    if len(text) > 254 or not text.isprintable() or not _EMAIL.fullmatch(text):
        return False
    try:
        text.rpartition("@")[2].encode("idna")
    except UnicodeError:
        return False
    return True


def as_cell(text: str) -> str:
    """Text for a cell of a file that a spreadsheet may open: what it would take for a formula is marked as text."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def from_cell(text: str) -> str:
    """The text of such a cell, without the mark."""
    return text[1:] if text[:1] == "'" and text.lstrip("'").startswith(_FORMULA) else text


def new_name() -> str:
    """A random name for a form that is to act once: a UUID with no run of digits that could pass for a card's number.

    One in some thousands has one, and what takes such a name back would refuse it.
    """
    while says_card(made := str(uuid4())):
        pass
    return made


def plain(text: str) -> str:
    """Trimmed, as it is. Raises ValueError for what cannot be stored."""
    if not storable(text):
        raise ValueError("contains characters that cannot be stored (NUL or half of a surrogate pair)")
    return text.strip()


class MaskedLines(logging.Formatter):
    """Whatever is logged, by whom ever, leaves without card numbers and without the links that are a right to act:
    paths, errors and their stacks included.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _RIGHTS.sub(r"\1…", mask_cards(super().format(record)))

"""People's own words made fit for paper: any string in, a string that every shipped font together can draw out."""

import re
import unicodedata

from counterfoil.core.papers.coverage import printable

MISSING = "\u25a1"
"""Stands for a character that no shipped font has: an empty box, as PDF/A and PDF/UA forbid undefined glyphs."""

_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# Private use is forbidden in PDF/A; directional controls could make one name read as another.
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf"})
_JOINERS = frozenset("\u200c\u200d")
# No space, hyphen or slash in 28 characters: let the line break every 14, so that nothing runs out of its column.
_LONG_WORD = re.compile(r"[!-,.0-\u02af\u0370-\u052f]{28,}")
_ZERO_WIDTH_SPACE = "\u200b"


def _category(char: str) -> str:
    """What becomes of `char`: "drop", "space", "mark" (rides on what stands before it), "joiner" or "show"."""
    if char in _JOINERS:
        return "joiner"
    if 0xFE00 <= ord(char) <= 0xFE0F or 0xE0000 <= ord(char) <= 0xE0FFF:
        return "drop"
    category = unicodedata.category(char)
    if category in _DROPPED_CATEGORIES:
        return "drop"
    return "space" if category == "Zs" else "mark" if category[0] == "M" else "show"


def _drawable(text: str) -> str:
    """`text` without what cannot be drawn. A mark stays only where one font has it and all that it rides on."""
    fonts, out = printable(), []
    last, able = "", 0
    for char in text:
        match _category(char) if char != "\n" else "show":
            case "drop":
                continue
            case "space":
                char = "\u00a0" if char in "\u00a0\u202f\u2007" else " "
                able = fonts[ord(" ")]
            # Persian and Hindi need joiners between letters; between emoji no shipped font knows the combination.
            case "joiner" if not last or unicodedata.category(last)[0] not in "LM":
                continue
            case "joiner" | "mark":
                if not able & fonts.get(ord(char), 0):
                    continue
                able &= fonts[ord(char)]
            case _ if char != "\n":
                char = char if unicodedata.category(char) != "Co" and ord(char) in fonts else MISSING
                able = fonts[ord(char)]
        last = char
        out.append(char)
    return "".join(out)


def _with_breaks(match: re.Match[str]) -> str:
    word = match.group()
    return _ZERO_WIDTH_SPACE.join(word[i : i + 14] for i in range(0, len(word), 14))


def clean(text: str, *, line_breaks: bool = False) -> str:
    """`text` composed (NFC), without controls, each undrawable character replaced by MISSING.

    Line breaks become spaces unless `line_breaks`; tabs always do. Never fails, lone surrogates included.
    """
    text = _LINE_BREAK.sub("\n" if line_breaks else " ", text).replace("\t", " ")
    if not (text.isascii() and text.replace("\n", "").isprintable()):
        text = _drawable(unicodedata.normalize("NFC", text))
    return _LONG_WORD.sub(_with_breaks, text).strip()


def shortened(text: str, most: int) -> str:
    """`text`, or its first `most` - 1 characters and an ellipsis."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"

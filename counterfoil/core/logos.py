"""The shop's logo. Whatever picture is given is drawn anew, once small for screens and once for paper, and kept under a
name made of what is in it: an address with that name never shows another picture, and an issued paper keeps its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.core.errors import Missing
from counterfoil.core.models import Logo
from counterfoil.core.papers.redraw import redrawn, shape_of
from counterfoil.core.shop_checks import NAME_OF_LOGO

MOST_BYTES = 2_000_000  # of the file that is given
MOST_SIDE, LEAST_WIDTH, LEAST_HEIGHT = 5_000, 32, 16  # pixels
ON_SCREEN = (180, 40)  # the box in which a page shows it; drawn with twice as many pixels for screens that have them
ON_PAPER = (1_200, 400)
SCREEN_BYTES, PAPER_BYTES = 24_000, 240_000  # at most: a page's first view and each paper carry it
# A name of letters only: nowhere can it be taken for a card's number.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_NAMES = {b"<": "an SVG or a page", b"GIF8": "a GIF", b"RIFF": "a WebP", b"%PDF": "a PDF", b"BM": "a bitmap"}
Size = tuple[int, int]


@dataclass(frozen=True)
class Drawn:
    """A logo as it is kept: two PNGs, and the size at which pages show it."""

    name: str
    paper: bytes
    screen: bytes
    width: int
    height: int

    def as_setting(self) -> dict[str, Any]:
        """What the shop's settings hold of it."""
        return {"name": self.name, "width": self.width, "height": self.height}


def draw(data: bytes) -> Drawn:
    """The logo of a PNG or JPEG file. Raises ValueError with words for who chose it."""
    if len(data) > MOST_BYTES:
        raise ValueError(too_large(len(data)))
    ending, size = _measured(data)
    if max(size) > MOST_SIDE:
        raise ValueError(f"{size[0]:,} × {size[1]:,} pixels; at most {MOST_SIDE:,} a side")
    if (shape_of(data, ending) > 1) != (size[0] > size[1]):
        size = (size[1], size[0])
    if size[0] < LEAST_WIDTH or size[1] < LEAST_HEIGHT:
        raise ValueError(f"{size[0]} × {size[1]} pixels; at least {LEAST_WIDTH} × {LEAST_HEIGHT}, better 600 wide")
    if size[0] > 12 * size[1] or size[1] > 3 * size[0]:
        raise ValueError("too long and thin to be read at the head of a page; cut off the empty edges")
    paper = _rendition(data, ending, fitted(size, ON_PAPER), PAPER_BYTES)
    # Out of the paper's, which is small already: a camera's picture takes a second each time it is read.
    screen = _rendition(paper, "png", fitted(size, (2 * ON_SCREEN[0], 2 * ON_SCREEN[1])), SCREEN_BYTES)
    width, height = fitted(size, ON_SCREEN)
    return Drawn(name_of(paper, screen), paper, screen, width, height)


def name_of(paper: bytes, screen: bytes) -> str:
    """What a logo of these pictures is kept under."""
    return hashlib.sha256(paper + screen).hexdigest()[:32].translate(_LETTERS)


def too_large(size: int) -> str:
    """What is said of a file with so many bytes."""
    return f"the file has {size / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:g} MB"


def keep(data: bytes) -> dict[str, Any]:
    """Draw a logo and keep it; gives what settings hold of it, where it does not stand yet. Raises as `draw`."""
    made = draw(data)
    with writing():
        Logo.objects.get_or_create(
            name=made.name,
            defaults={
                "paper": made.paper,
                "screen": made.screen,
                "width": made.width,
                "height": made.height,
                "kept_at": clock.real_now(),
            },
        )
    return made.as_setting()


def as_setting(name: str) -> dict[str, Any]:
    """What settings hold of a logo that was kept; nothing for no name. Raises ValueError for one that is unknown."""
    if not name:
        return {}
    found = (
        Logo.objects.filter(name=name).values("name", "width", "height").first()
        if NAME_OF_LOGO.fullmatch(name)
        else None
    )
    if found is None:
        raise ValueError("choose the file once more")
    return dict(found)


@lru_cache(8)
def for_screens(name: str) -> bytes:
    """The small PNG. Raises Missing."""
    return _column(name, "screen")


@lru_cache(8)
def for_paper(name: str) -> bytes:
    """The PNG that papers carry. Raises Missing."""
    return _column(name, "paper")


def _column(name: str, column: str) -> bytes:
    found = (
        Logo.objects.filter(name=name).values_list(column, flat=True).first() if NAME_OF_LOGO.fullmatch(name) else None
    )
    if found is None:
        raise Missing("there is no such logo")
    return bytes(found)


def fitted(size: Size, box: Size) -> Size:
    """A size as large as a box allows, in the same shape, and never larger than it is."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _rendition(data: bytes, ending: str, size: Size, most: int) -> bytes:
    """As many pixels as the bytes allow: a photograph gets fewer than a few flat colours."""
    first = made = redrawn(data, ending, width=size[0], height=size[1])
    while len(made) > most:
        size = (size[0] * 4 // 5, size[1] * 4 // 5)
        made = redrawn(first, "png", width=size[0], height=size[1])
    return made


def _measured(data: bytes) -> tuple[str, Size]:
    """Kind and size by what is in the file, whatever it is called. Raises ValueError."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) > 33:
        return "png", (int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg", _size_of_jpeg(data)
    start = data[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    what = next((f"this is {word}: " for mark, word in _NAMES.items() if start.startswith(mark)), "")
    raise ValueError(f"{what}choose a PNG or a JPEG file" if data else "the file is empty")


def _size_of_jpeg(data: bytes) -> Size:
    """From the header of its frame. A segment is a mark of two bytes and its length, the length included."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        mark = data[at + 1]
        if 0xC0 <= mark <= 0xCF and mark not in {0xC4, 0xC8, 0xCC}:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            if width and height:
                return width, height
            break
        at += 1 if mark == 0xFF else 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    raise ValueError("this JPEG does not say how large it is; save it once more and try again")

"""Which characters the shipped fonts can draw, read from the fonts' own tables."""

import struct
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"


def _ranges_12(table: bytes) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", table, 12)
    return [(start, end) for start, end, _ in struct.iter_unpack(">III", table[16 : 16 + 12 * count])]


def _characters_4(table: bytes) -> set[int]:
    """Format 4 has holes inside its segments: glyph 0 means that there is none."""
    segments = struct.unpack_from(">H", table, 6)[0] // 2
    words = struct.unpack_from(f">{segments * 4 + 1}H", table, 14)
    ends, starts = words[:segments], words[segments + 1 : 2 * segments + 1]
    deltas, offsets = words[2 * segments + 1 : 3 * segments + 1], words[3 * segments + 1 :]
    found: set[int] = set()
    for i in range(segments):
        where = 16 + 6 * segments + 2 * i + offsets[i]
        for code in range(starts[i], ends[i] + 1):
            glyph = code
            if offsets[i]:
                at = where + 2 * (code - starts[i])
                glyph = struct.unpack_from(">H", table, at)[0] if at + 2 <= len(table) else 0
                if glyph == 0:
                    continue
            if (glyph + deltas[i]) & 0xFFFF and code != 0xFFFF:
                found.add(code)
    return found


def characters(font: Path) -> set[int]:
    """The code points that one TrueType file maps to a glyph."""
    data = font.read_bytes()
    (tables,) = struct.unpack_from(">H", data, 4)
    records = (struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(tables))
    cmap = next(data[offset : offset + length] for tag, _, offset, length in records if tag == b"cmap")
    found: set[int] = set()
    for i in range(struct.unpack_from(">H", cmap, 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * i)
        if (platform, encoding) not in {(0, 3), (0, 4), (3, 1), (3, 10)}:
            continue
        (form,) = struct.unpack_from(">H", cmap, offset)
        if form == 4:
            found |= _characters_4(cmap[offset:])
        elif form == 12:
            found.update(*(range(start, end + 1) for start, end in _ranges_12(cmap[offset:])))
    return found


@cache
def printable() -> dict[int, int]:
    """Every code point that a paper can show, with the fonts that have it as a bit set (bit 0: the first by name)."""
    fonts: dict[int, int] = {}
    for bit, font in enumerate(sorted(FONTS.glob("*.ttf"))):
        for code in characters(font):
            fonts[code] = fonts.get(code, 0) | 1 << bit
    return fonts

"""What a camera sees: bar codes on paper, a little askew and out of focus, as a film that Chromium takes as one."""

from __future__ import annotations

from pathlib import Path

import barcode

WIDTH, HEIGHT = 640, 480
PAPER, INK = 205, 40  # grey values
TOP, BOTTOM = 150, 330  # rows between which the bars stand
LEAN = 0.09  # pixels to the right for each row down
FRAMES, RATE = 12, 8  # of each code; pictures a second


def film(path: Path, *codes: tuple[str, str]) -> None:
    """Write a film that shows one code after the other, each `(kind, text)` as python-barcode knows it."""
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420\n".encode())
        for kind, text in codes:
            picture = _picture(_bars(kind, text)) + bytes([128]) * (WIDTH * HEIGHT // 2)
            out.write((b"FRAME\n" + picture) * FRAMES)


def _bars(kind: str, text: str) -> list[bool]:
    """The modules of a code from left to right: bar or space."""
    return [module == "1" for module in barcode.get(kind, text).build()[0]]


def _picture(bars: list[bool]) -> bytes:
    """Grey values, row by row."""
    wide = (WIDTH - 120) // len(bars)
    start = (WIDTH - wide * len(bars)) // 2
    sharp = [PAPER] * start + [INK if bar else PAPER for bar in bars for _ in range(wide)]
    sharp += [PAPER] * (WIDTH - len(sharp))
    soft = bytes(sum(sharp[max(0, x - 1) : x + 2]) // len(sharp[max(0, x - 1) : x + 2]) for x in range(WIDTH))
    blank = bytes([PAPER]) * WIDTH
    rows = []
    for y in range(HEIGHT):
        by = round((y - HEIGHT / 2) * LEAN)
        row = (blank[: max(0, by)] + soft[max(0, -by) :])[:WIDTH]
        rows.append(row + blank[: WIDTH - len(row)] if TOP <= y < BOTTOM else blank)
    return b"".join(rows)

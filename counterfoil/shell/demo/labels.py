"""Pictures of the demo's wines, drawn here as SVG: a bottle of the right shape, its glass, its label.

The same wine always gives the same bytes. A family's label keeps its paper, inks and layout from vintage to vintage.
"""

# ruff: noqa: E501 (paths are drawings, a line each)
from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from html import escape

from counterfoil.shell.demo.motifs import MOTIFS, Inks
from counterfoil.shell.demo.wines import Colour, Wine

WIDTH, HEIGHT = 320, 440
FONT = "Iowan Old Style,Palatino Linotype,Palatino,Georgia,Noto Serif,DejaVu Serif,serif"


@dataclass(frozen=True)
class Bottle:
    """A silhouette 400 high around x = 0, and where its label and its capsule sit."""

    neck: float
    outline: str
    half: float
    top: float
    bottom: float
    capsule: str


def _outline(neck: float, shoulder: str, half: float) -> str:
    """A bottle from lip to base; `shoulder` is the right-hand curve from the neck to the body, mirrored for the left."""
    start, c1x, c1y, c2x, c2y, end = (float(n) for n in shoulder.split())
    n, b = neck, half
    return (
        f"M{-n} 5Q{-n} 0 {-n + 5} 0H{n - 5}Q{n} 0 {n} 5V{start}C{c1x} {c1y} {c2x} {c2y} {b} {end}V386Q{b} 400 {b - 14} 400"
        f"H{-b + 14}Q{-b} 400 {-b} 386V{end}C{-c2x} {c2y} {-c1x} {c1y} {-n} {start}z"
    )


def _capsule(neck: float, bottom: float, flare: float = 0) -> str:
    """The foil over the neck, down to `bottom`, wider there by `flare` on each side."""
    n, f = neck + 1, flare
    return f"M{-n} 5Q{-n}-1 {-n + 6}-1H{n - 6}Q{n}-1 {n} 5V{bottom - 40}L{n + f} {bottom}Q0 {bottom + 6} {-n - f} {bottom}L{-n} {bottom - 40}z"


BOTTLES: dict[str, Bottle] = {
    "high": Bottle(18, _outline(18, "100 18 134 64 126 172", 64), 64, 196, 366, _capsule(18, 84)),
    "sloping": Bottle(18, _outline(18, "78 18 140 67 150 214", 67), 67, 222, 372, _capsule(18, 74)),
    "flute": Bottle(16.5, _outline(16.5, "60 17 150 57 166 238", 57), 57, 234, 376, _capsule(16.5, 64)),
    "sparkling": Bottle(19, _outline(19, "80 20 140 71 146 212", 71), 71, 219, 374, _capsule(19, 118, 7)),
    "fortified": Bottle(20, _outline(20, "92 24 124 66 112 156", 66), 66, 182, 360, _capsule(20, 60)),
}

FLUTES = frozenset({"Riesling", "Gewürztraminer"})
SLOPING = frozenset({"Pinot Noir", "Chardonnay", "Syrah", "Grenache", "Chenin Blanc", "Grenache, Cinsault"})

# Glass as seen with the wine in it: the edge, the body.
GLASS: dict[Colour, tuple[str, str]] = {
    "red": ("#10180f", "#2b3a2c"),
    "white": ("#7d8442", "#c9cb7c"),
    "rose": ("#cc6f6a", "#f4b3a4"),
    "sparkling": ("#16271c", "#3a5a41"),
    "sweet": ("#5d2c0b", "#b8681f"),
}
BACKDROP: dict[Colour, tuple[str, str]] = {
    "red": ("#f6ece6", "#e3c8bf"),
    "white": ("#f7f5e6", "#dfe0bd"),
    "rose": ("#fdf0ec", "#f3cfc6"),
    "sparkling": ("#f5f1e6", "#dcd3b6"),
    "sweet": ("#fbf1de", "#ebcb97"),
}


@dataclass(frozen=True)
class Palette:
    """What a label is printed with: paper and letters, then the motif's inks, then the capsule."""

    paper: str
    ink: str
    inks: Inks
    capsule: str


# Which of them suit a wine of that colour.
SUITED: dict[Colour, tuple[int, ...]] = {
    "red": (0, 3, 4, 6, 1),
    "white": (1, 2, 5, 6),
    "rose": (7, 0, 4),
    "sparkling": (3, 6, 5),
    "sweet": (3, 0, 6),
}
PALETTES: tuple[Palette, ...] = (
    Palette("#fbf6ea", "#2c1c22", Inks("#f3e3c8", "#c98f6b", "#7b1e3f", "#33131f", "#f0b45c"), "#7b1e3f"),
    Palette("#f4f1e6", "#16303a", Inks("#dfe9e4", "#7fa7a5", "#23596b", "#12303c", "#f2c879"), "#1d4a5a"),
    Palette("#faf7ef", "#23301f", Inks("#eaf0d8", "#a3b771", "#4d6b35", "#22331c", "#efc75e"), "#3f5a2c"),
    Palette("#24202b", "#f3e6cc", Inks("#38314a", "#7d6aa0", "#b9783f", "#17131d", "#f1d08a"), "#b08a4a"),
    Palette("#fdf5ee", "#3a2318", Inks("#fbdfc6", "#e39a6a", "#b5482a", "#4a1e14", "#f8c65a"), "#b5482a"),
    Palette("#f6f3f1", "#26243a", Inks("#e2e2ef", "#9a9cc4", "#4a4d8a", "#23233f", "#f3c9a0"), "#3d4079"),
    Palette("#1d2b2a", "#f0e7d2", Inks("#2d4644", "#5f8f86", "#c9a45a", "#101b1a", "#f4dc9c"), "#c1a05a"),
    Palette("#fbf3f2", "#41202c", Inks("#fae0dc", "#e5a29c", "#b04a62", "#4b1c2c", "#f5c38a"), "#a2425a"),
)


def _number(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:4])


def _bottle(wine: Wine) -> Bottle:
    if wine.colour == "sparkling":
        return BOTTLES["sparkling"]
    if wine.motif == "moon":
        return BOTTLES["fortified"]
    if wine.grape in FLUTES:
        return BOTTLES["flute"]
    return BOTTLES["sloping" if wine.grape in SLOPING else "high"]


def _text(words: str, y: float, size: float, room: float, *, spacing: float = 0, extra: str = "") -> str:
    """One centred line, made smaller when it would not fit the room (in drawing units); capitals count as wider."""
    letter = 0.74 if words.isupper() else 0.56
    size = min(size, (room - spacing * len(words)) / (letter * len(words)))
    spaced = f' letter-spacing="{spacing}"' if spacing else ""
    return f'<text y="{y:.1f}" font-size="{size:.1f}"{spaced}{extra}>{escape(words)}</text>'


def _curved(left: float, top: float, width: float, height: float) -> str:
    """A label's edge: its top and bottom sag a little, as paper around glass does."""
    return f"M{left} {top}q{width / 2} 5 {width} 0v{height}q{-width / 2} 5 {-width} 0z"


def _label(wine: Wine, bottle: Bottle, palette: Palette, key: str) -> str:
    """The label with its art above or below the words, by the house."""
    half, height = bottle.half - 1, bottle.bottom - bottle.top
    art = min(height * 0.48, 2 * half * 0.6)
    art_below = _number(wine.producer) % 3 == 0
    art_top = bottle.bottom - art + 5 if art_below else bottle.top
    words_top = bottle.top + 6 if art_below else bottle.top + art + 3
    room, scale = 2 * half - 14, 2 * half / 100
    step = (height - art) / 80
    vintage = str(wine.vintage) if wine.vintage else ("No. 12" if wine.bottles > 1 else "N · V")
    c = palette.inks
    return (
        f'<clipPath id="{key}l"><path d="{_curved(-half, bottle.top, 2 * half, height)}"/></clipPath>'
        f'<g clip-path="url(#{key}l)"><path fill="{palette.paper}" d="M-90 0H90V440H-90z"/>'
        f'<svg x="{-half}" y="{art_top:.1f}" width="{2 * half}" height="{art:.1f}" viewBox="0 {60 - art / scale:.1f} 100 '
        f'{art / scale:.1f}"><path fill="{c.sky}" d="M0 0H100V60H0z"/>{MOTIFS[wine.motif](c)}</svg>'
        f'<g fill="{palette.ink}" font-family="{FONT}" text-anchor="middle">'
        + _text(wine.producer.upper(), words_top + 16 * step, 12.5, room, spacing=1.2)
        + _text(wine.name, words_top + 31 * step, 12.5, room, extra=' font-style="italic"')
        + f'<path stroke="{c.near}" stroke-width=".8" d="M-22 {words_top + 39 * step:.1f}h44"/>'
        + _text(vintage, words_top + 60 * step, 23 * min(step, 1.1), room, spacing=1)
        + _text(wine.region.upper(), words_top + 71 * step, 5.6, room, spacing=1)
        + "</g></g>"
    )


def _glass(wine: Wine, bottle: Bottle, palette: Palette, key: str) -> str:
    """The bottle: wine and glass, label, capsule, and the light over all of it."""
    edge, body = GLASS[wine.colour]
    if wine.name.endswith("Rosé") and wine.colour == "sparkling":
        edge, body = "#b4626a", "#eba79f"
    if wine.grape in FLUTES and wine.colour == "white":
        edge, body = "#37502f", "#7c9a58"
    b = bottle.half
    shine = f"M{-b + 13} 386V{bottle.top - 8}Q{-b + 14} {bottle.top - 46} -12 {bottle.top - 92}"
    return (
        f'<linearGradient id="{key}g"><stop stop-color="{edge}"/><stop offset=".32" stop-color="{body}"/>'
        f'<stop offset=".62" stop-color="{body}"/><stop offset="1" stop-color="{edge}"/></linearGradient>'
        f'<linearGradient id="{key}s"><stop stop-opacity=".38"/><stop offset=".2" stop-opacity=".02"/>'
        f'<stop offset=".3" stop-color="#fff" stop-opacity=".2"/><stop offset=".42" stop-color="#fff" stop-opacity="0"/>'
        f'<stop offset=".74" stop-opacity=".03"/><stop offset="1" stop-opacity=".42"/></linearGradient>'
        f'<path fill="url(#{key}g)" d="{bottle.outline}"/>'
        f'<path fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" opacity=".2" d="{shine}"/>'
        f"{_label(wine, bottle, palette, key)}"
        f'<path fill="{palette.capsule}" d="{bottle.capsule}"/>'
        f'<path fill="none" stroke="#fff" stroke-width=".8" opacity=".45" d="M-{bottle.neck} 27Q0 31 {bottle.neck} 27"/>'
        f'<path fill="url(#{key}s)" d="{bottle.outline}"/>'
    )


def _crate(wine: Wine, bottle: Bottle, palette: Palette, key: str) -> str:
    """A case of twelve: three necks looking out of a wooden box with the label burnt into it."""
    edge, body = GLASS[wine.colour]
    c = palette.inks
    necks = "".join(
        f'<g transform="translate({x} 78) scale(.58)"><path fill="url(#{key}g)" d="{bottle.outline}"/>'
        f'<path fill="{palette.capsule}" d="{bottle.capsule}"/>'
        f'<path fill="#fff" opacity=".25" d="M-11 5h5v66h-5z"/></g>'
        for x in (-78, 0, 78)
    )
    boards = "".join(
        f'<path fill="{tone}" d="M-124 {y}h248v52h-248z"/>'
        for y, tone in ((226, "#dcb98a"), (280, "#d2ac7b"), (334, "#c79f6d"))
    )
    grain = "M-112 240q60 8 120 0t104 4M-112 262q80-8 150 0t70-2M-112 298q50 6 110 0t110 2M-112 356q90-8 140 0t80 0"
    return (
        f'<linearGradient id="{key}g"><stop stop-color="{edge}"/><stop offset=".4" stop-color="{body}"/>'
        f'<stop offset="1" stop-color="{edge}"/></linearGradient>'
        f'{necks}<path fill="#8f6a3d" d="M-124 226h248v160h-248z"/>{boards}'
        f'<path fill="none" stroke="#9c7444" stroke-width=".8" opacity=".5" d="{grain}"/>'
        f'<path fill="#b98f5d" d="M-124 226h14v160h-14zM110 226h14v160h-14z"/>'
        f'<rect x="-74" y="240" width="148" height="132" rx="3" fill="{palette.paper}"/>'
        f'<svg x="-74" y="240" width="148" height="66" viewBox="0 5 100 45" preserveAspectRatio="xMidYMid slice">'
        f'<path fill="{c.sky}" d="M0 0H100V60H0z"/>{MOTIFS[wine.motif](c)}</svg>'
        f'<g fill="{palette.ink}" font-family="{FONT}" text-anchor="middle">'
        + _text(wine.producer.upper(), 328, 15, 120, spacing=1.5)
        + _text(wine.name, 345, 12, 120, extra=' font-style="italic"')
        + _text(f"12 × {wine.size_ml} ml", 362, 10, 120, spacing=1)
        + "</g>"
    )


def label_svg(wine: Wine) -> str:
    """A picture of the wine as one SVG document, under 6 kB, 320 by 440 units, without scripts or outside references.

    Identifiers inside carry the SKU, so several pictures can stand in one HTML page.
    """
    key = wine.sku.lower() + "-"
    bottle = _bottle(wine)
    suited = SUITED[wine.colour]
    palette = PALETTES[suited[_number(wine.family) % len(suited)]]
    light, deep = BACKDROP[wine.colour]
    case = wine.bottles > 1
    scale = 1.0 if case or wine.size_ml >= 750 else (0.9 if wine.size_ml >= 500 else 0.8)
    drawn = _crate(wine, bottle, palette, key) if case else _glass(wine, bottle, palette, key)
    floor, spread = (392, 140) if case else (420, bottle.half * scale * 1.25)
    top = 6 if case else 420 - 400 * scale
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}t">'
        f'<title id="{key}t">{escape(wine.title)}, {_shape(wine)}</title>'
        f'<radialGradient id="{key}b" cy=".42" r=".75"><stop stop-color="{light}"/><stop offset="1" stop-color="{deep}"/>'
        f"</radialGradient>"
        f'<path fill="url(#{key}b)" d="M0 0H{WIDTH}V{HEIGHT}H0z"/>'
        f'<ellipse cx="166" cy="{floor}" rx="{spread:.0f}" ry="9" fill="#3a2018" opacity=".22"/>'
        f'<g transform="translate(160 {top:.0f}) scale({scale})">{drawn}</g></svg>'
    )


def _shape(wine: Wine) -> str:
    """What the picture shows, in words, for people who do not see it."""
    drawn = {"rose": "rosé", "sweet": "sweet wine", "sparkling": "sparkling wine"}.get(
        wine.colour, f"{wine.colour} wine"
    )
    return f"a case of twelve bottles of {drawn}" if wine.bottles > 1 else f"a bottle of {drawn}"

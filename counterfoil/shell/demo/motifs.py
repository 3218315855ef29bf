"""The small drawings on the demo's labels. Each fills a box 100 wide and 60 high and is cut off at its edges."""

# ruff: noqa: E501 (paths are drawings, a line each)
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Inks:
    """The colours a label is printed in: `sky` behind, `far` and `near` the two inks, `dark` for lines, `glow` for light."""

    sky: str
    far: str
    near: str
    dark: str
    glow: str


def ridge(c: Inks) -> str:
    """Hills behind hills, a low sun, a stand of alders."""
    trees = "".join(f"M{x} 49v-{h}l-3 {h * 0.8:.0f}h6z" for x, h in ((12, 13), (19, 17), (26, 11), (80, 12), (87, 16)))
    return (
        f'<circle cx="66" cy="22" r="9" fill="{c.glow}"/>'
        f'<path fill="{c.far}" opacity=".55" d="M0 36 18 22 32 31 50 14 68 30 82 20 100 33V60H0z"/>'
        f'<path fill="{c.far}" d="M0 44 22 32 40 42 62 27 100 45V60H0z"/>'
        f'<path fill="{c.near}" d="M0 51Q28 40 55 49T100 46V60H0z"/><path fill="{c.dark}" d="{trees}"/>'
    )


def quill(c: Inks) -> str:
    """A feather that has just written a line."""
    barbs = "".join(f"M{46 + i * 4.6:.1f} {43 - i * 4.6:.1f}l{5 + i * 0.4:.1f}-1.5" for i in range(7))
    return (
        f'<path fill="{c.near}" d="M36 49C34 30 52 8 82 5 80 28 62 46 43 45z"/>'
        f'<path fill="{c.far}" d="M36 49C46 36 60 22 82 5 80 28 62 46 43 45z"/>'
        f'<path fill="none" stroke="{c.sky}" stroke-width=".8" d="{barbs}"/>'
        f'<path fill="none" stroke="{c.dark}" stroke-width="1.4" stroke-linecap="round" d="M31 55Q50 31 80 7"/>'
        f'<path fill="none" stroke="{c.dark}" stroke-linecap="round" d="M10 55c5-5 7 3 11 0s5-3 10 0"/>'
    )


def tern(c: Inks) -> str:
    """A sea bird over its island."""
    return (
        f'<circle cx="24" cy="20" r="8" fill="{c.glow}"/>'
        f'<path fill="{c.far}" d="M52 48Q66 35 80 40T100 44V50H50z"/>'
        f'<path fill="{c.near}" d="M0 48q12.5-4 25 0t25 0 25 0 25 0V60H0z"/>'
        f'<path fill="none" stroke="{c.sky}" d="M0 54q12.5-4 25 0t25 0 25 0 25 0"/>'
        f'<path fill="{c.dark}" d="M18 12C34 12 44 18 50 25 58 16 72 10 90 9 76 15 67 23 60 30l14 6-17-2C47 37 40 33 36 29'
        f'l-7 0 6-3C32 20 26 15 18 12z"/>'
    )


def gate(c: Inks) -> str:
    """A wrought gate standing open on a path."""
    bars = "".join(f"M{x} {60 - h}V60" for x, h in ((34, 29), (39, 34), (44, 37), (56, 37), (61, 34), (66, 29)))
    return (
        f'<circle cx="50" cy="30" r="15" fill="{c.glow}"/>'
        f'<path fill="{c.far}" d="M0 46Q25 34 50 43T100 42V60H0z"/><path fill="{c.near}" d="M40 60 48 43h4l8 17z"/>'
        f'<path fill="none" stroke="{c.dark}" stroke-width="1.3" d="{bars}M29 34Q50 8 71 34M29 48h18M53 48h18"/>'
        f'<path fill="{c.dark}" d="M22 24h7v36h-7zM71 24h7v36h-7zM20 21h11v3H20zM69 21h11v3H69z"/>'
        f'<circle cx="25.5" cy="17.5" r="3" fill="{c.near}"/><circle cx="74.5" cy="17.5" r="3" fill="{c.near}"/>'
    )


def stone(c: Inks) -> str:
    """A dry wall with stonecrop in flower along its top."""
    blocks = (
        (-8, 49, 26),
        (20, 49, 34),
        (56, 49, 20),
        (78, 49, 28),
        (-4, 38, 16),
        (14, 38, 26),
        (42, 38, 18),
        (62, 38, 30),
        (94, 38, 12),
    )
    wall = "".join(
        f'<rect x="{x}" y="{y}" width="{w}" height="9.5" rx="3" fill="{c.dark if i % 4 == 2 else c.far if i % 3 else c.near}"/>'
        for i, (x, y, w) in enumerate(blocks)
    )
    flower = "M0-5.5 1.5-2 5.2-1.7 2.4.8 3.2 4.5 0 2.5-3.2 4.5-2.4.8-5.2-1.7-1.5-2z"
    places = ((50, 11, 1.3), (37, 16, 1.1), (63, 16, 1.1), (27, 24, 0.9), (73, 24, 0.9), (45, 23, 1.0), (57, 24, 0.9))
    stems = "".join(f"M50 39Q{x} {y + 12} {x} {y}" for x, y, _ in places)
    flowers = "".join(
        f'<path fill="{c.glow if i % 2 else c.near}" d="{flower}" transform="translate({x} {y}) scale({size})"/>'
        f'<circle cx="{x}" cy="{y}" r="1.2" fill="{c.dark}"/>'
        for i, (x, y, size) in enumerate(places)
    )
    return f'{wall}<path fill="none" stroke="{c.far}" stroke-width="1.2" d="{stems}"/>{flowers}'


def sun(c: Inks) -> str:
    """A lantern of a sun and its rays."""
    rays = "".join(f"M50 44 {x} {y}" for x, y in ((-6, 34), (4, 10), (24, -4), (50, -8), (76, -4), (96, 10), (106, 34)))
    return (
        f'<path stroke="{c.near}" stroke-width="3" stroke-dasharray="2 2.5" d="{rays}"/>'
        f'<circle cx="50" cy="42" r="22" fill="{c.near}"/><circle cx="50" cy="42" r="16" fill="{c.glow}"/>'
        f'<path fill="{c.far}" d="M0 46Q30 38 60 45T100 42V60H0z"/><path fill="{c.dark}" d="M0 54Q40 46 100 55V60H0z"/>'
    )


def stars(c: Inks) -> str:
    """A night of bubbles that might be stars."""
    dots = "".join(
        f'<circle cx="{(i * 37) % 97 + 2}" cy="{(i * 23) % 55 + 3}" r="{0.7 + (i % 4) * 0.6:.1f}" fill="{(c.glow, c.far, c.near)[i % 3]}"/>'
        for i in range(26)
    )
    star = "M50 9l3.5 13 13 3.5-13 3.5L50 42l-3.5-13-13-3.5 13-3.5z"
    return f'<rect width="100" height="60" fill="{c.dark}"/>{dots}<path fill="{c.glow}" d="{star}"/>'


def vine(c: Inks) -> str:
    """A leaf, a tendril and a bunch of grapes."""
    grapes = "".join(
        f'<circle cx="{62 + x * 7.4 + (y % 2) * 3.7:.1f}" cy="{25 + y * 6.4:.1f}" r="4" fill="{c.near if (x + y) % 2 else c.dark}"/>'
        for y, row in enumerate(((-1, 0, 1, 2), (-1, 0, 1), (0, 1), (0,), (0,)))
        for x in row
    )
    return (
        f'<path fill="none" stroke="{c.dark}" stroke-width="1.6" stroke-linecap="round" '
        f'd="M6 12C30 2 48 18 66 10M66 10v10M66 10c12-8 22 0 18 6s-10 0-5-4"/>'
        f'<path fill="{c.far}" d="M30 9c2 5 6 6 11 3-1 5 2 8 8 8-4 3-4 7 0 11-5-1-8 1-8 6-4-2-7-1-10 5-2-6-5-7-10-5 1-5-2-7-7-6 '
        f'4-4 4-8 0-11 6 0 9-3 7-8 4 2 8 1 9-3z"/>'
        f'<path fill="none" stroke="{c.sky}" stroke-width=".9" d="M30 9 31 39M31 30 45 22M31 30 17 22M31 34l8 1M31 34l-8 1"/>{grapes}'
    )


def waves(c: Inks) -> str:
    """Long swells under an apple of a moon."""
    rows = "".join(
        f'<path fill="{(c.far, c.near)[i % 2]}" opacity="{1 - (3 - i) * 0.14:.2f}" '
        f'd="M{-8 - i * 6} {30 + i * 8}q9-9 18 0t18 0 18 0 18 0 18 0 18 0 18 0V60H-30z"/>'
        for i in range(4)
    )
    return f'<circle cx="68" cy="17" r="10" fill="{c.glow}"/><path stroke="{c.dark}" d="M68 8q1-4 4-5"/>{rows}'


def thistle(c: Inks) -> str:
    """A thistle in flower, and the ears of somebody behind it."""
    spikes = "".join(f"M50 27 {x} {y}" for x, y in ((36, 10), (41, 7), (46, 5), (50, 4), (54, 5), (59, 7), (64, 10)))
    return (
        f'<path fill="{c.far}" d="M70 60C68 44 74 36 80 36c-4-12-3-24 1-27 4 6 5 16 4 25 2-8 6-17 11-20 2 8-3 18-8 25 6 5 8 13 8 21z"/>'
        f'<path stroke="{c.near}" stroke-width="3.2" stroke-linecap="round" d="{spikes}"/>'
        f'<path fill="{c.dark}" d="M40 26h20q3 12-10 14-13-2-10-14z"/><path stroke="{c.dark}" stroke-width="2" d="M50 38V60"/>'
        f'<path fill="{c.dark}" d="M50 54C40 52 34 46 26 46c4 2 3 4 7 6-3 0-5 2-8 2 8 4 17 5 25 2z"/>'
        f'<path fill="none" stroke="{c.sky}" stroke-width=".8" d="M42 30l16 6M58 30l-16 6"/>'
    )


def moon(c: Inks) -> str:
    """A ferry on a still river under a new moon."""
    ripples = "".join(f"M{50 - w} {y}h{2 * w}" for w, y in ((14, 49), (9, 52.5), (16, 56)))
    return (
        f'<rect width="100" height="60" fill="{c.dark}"/><circle cx="50" cy="20" r="13" fill="{c.glow}"/>'
        f'<circle cx="56" cy="17" r="11.5" fill="{c.dark}"/><path fill="{c.far}" d="M0 42Q25 33 50 40T100 38V60H0z" opacity=".55"/>'
        f'<path fill="{c.near}" d="M0 45H100V60H0z"/><path stroke="{c.glow}" stroke-width=".9" d="{ripples}"/>'
        f'<path fill="{c.sky}" d="M36 43h28l-5 5H41zM49 43V30l9 11z"/>'
    )


def house(c: Inks) -> str:
    """A house with a light on and smoke from the chimney."""
    rows = "".join(f"M{x} 60Q{(x + 50) / 2:.0f} 52 {(x - 50) * 0.5 + 50:.0f} 47" for x in (0, 14, 28, 72, 86, 100))
    return (
        f'<path fill="{c.far}" d="M0 42Q30 32 60 40T100 38V60H0z"/><path fill="{c.near}" d="M0 48H100V60H0z"/>'
        f'<path fill="none" stroke="{c.sky}" stroke-width=".8" d="{rows}"/>'
        f'<path fill="{c.sky}" stroke="{c.dark}" d="M34 26h32v23H34z"/><path fill="{c.dark}" d="M29 28 50 10 71 28zM59 8h5v12h-5z"/>'
        f'<path fill="{c.glow}" d="M39 32h7v7h-7zM54 32h7v7h-7z"/><path fill="{c.near}" d="M47 39h6v10h-6z"/>'
        f'<path fill="none" stroke="{c.dark}" stroke-linecap="round" d="M61.5 6c0-3 4-2 4-5"/>'
    )


MOTIFS: dict[str, Callable[[Inks], str]] = {
    "ridge": ridge,
    "quill": quill,
    "tern": tern,
    "gate": gate,
    "stone": stone,
    "sun": sun,
    "stars": stars,
    "vine": vine,
    "waves": waves,
    "thistle": thistle,
    "moon": moon,
    "house": house,
}
"""Every motif by the name a wine carries."""

"""Pictures of what the demo shop sells beside the wine, in the same light and size as its bottles."""

# ruff: noqa: E501 (paths are drawings, a line each)
from __future__ import annotations

from html import escape

from counterfoil.shell.demo.labels import HEIGHT, WIDTH
from counterfoil.shell.demo.wines import Accessory

_CORKSCREW = (
    '<path fill="none" stroke="#8d8f96" stroke-width="7" stroke-linecap="round" d="M160 160V214c26 4 26 18 0 22s-26 16 0 22 26 16 0 22-26 16 0 22 22 14 2 24l-2 22"/>'
    '<path fill="none" stroke="#e9eaee" stroke-width="2" stroke-linecap="round" d="M158 172v44c22 4 20 14 0 18"/>'
    '<path fill="#a9abb3" d="M214 150h22l10 150q2 14-10 14-10 0-11-12z"/><path fill="#d9dae0" d="M220 156h6l9 146h-5z"/>'
    '<path fill="#5b3320" d="M70 150Q60 122 92 118H222Q262 120 258 160 220 172 180 168T88 172Q72 170 70 150z"/>'
    '<path fill="#7d4a2c" d="M78 146Q74 128 94 126H220Q246 128 248 146 216 156 178 152T90 158Q80 156 78 146z"/>'
    '<path fill="none" stroke="#5b3320" stroke-width="1.2" opacity=".7" d="M88 138q40-8 76 0t76-2M92 148q36-6 70 0t70-4"/>'
    '<circle cx="94" cy="148" r="5" fill="#d6b25e"/><circle cx="160" cy="150" r="5" fill="#d6b25e"/><circle cx="228" cy="146" r="5" fill="#d6b25e"/>'
)


def _glass(x: int, bowl: str, shade: str) -> str:
    """One glass standing at `x`, with a third of wine in it."""
    return (
        f'<g transform="translate({x} 112)"><path fill="#fff" opacity=".5" d="M-46 0H46C56 70 50 130 4 140V268H-4V140C-50 130-56 70-46 0z"/>'
        f'<path fill="{bowl}" d="M-52 66H52C50 110 34 136 0 138-34 136-50 110-52 66z"/><ellipse cy="66" rx="52" ry="8" fill="{shade}"/>'
        '<ellipse cy="276" rx="42" ry="8" fill="#fff" opacity=".75"/><ellipse cy="274" rx="40" ry="6" fill="#e4dcd6"/>'
        '<path fill="#fff" opacity=".85" d="M-3 140h6v132h-6z"/><ellipse rx="46" ry="6" fill="none" stroke="#fff" stroke-width="1.6"/>'
        '<path fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".7" d="M-38 16C-44 56-42 96-26 118"/></g>'
    )


def _gift_one() -> str:
    return (
        '<path fill="#6b1835" d="M110 70H196V410H110z"/><path fill="#4f1026" d="M196 70 222 52V390L196 410z"/><path fill="#8a2a4c" d="M110 70 138 52H222L196 70z"/>'
        '<path fill="#e2c27c" d="M146 70H160V410H146zM146 70 172 52H186L160 70z"/><path fill="#d0ab5c" d="M110 226H196V240H110z"/><path fill="#b48f45" d="M196 226 222 210V224L196 240z"/>'
        '<path fill="#e2c27c" d="M153 62C120 60 104 34 122 26s30 20 31 36c2-18 18-46 36-36s-2 34-36 36z"/><path fill="#b48f45" d="M146 56h14v12h-14z"/>'
        '<g transform="rotate(-7 150 310)"><path fill="#fbf6ea" d="M120 282h58v44h-58z"/><path stroke="#7b1e3f" stroke-width="1.2" d="M130 296h38M130 304h38M130 312h22"/></g>'
    )


def _gift_three() -> str:
    necks = "".join(
        f'<path fill="{glass}" d="M{x - 10} 150h20v40q20 12 20 46v20h-60v-20q0-34 20-46z"/><path fill="{foil}" d="M{x - 11} 128h22v44h-22z"/>'
        for x, glass, foil in ((88, "#22301f", "#7b1e3f"), (160, "#b5b866", "#c1a05a"), (232, "#eba79f", "#1d4a5a"))
    )
    boards = "".join(
        f'<path fill="{tone}" d="M36 {y}h248v54h-248z"/>'
        for y, tone in ((244, "#e5c699"), (300, "#dcb98a"), (356, "#d0aa78"))
    )
    return (
        f'{necks}<path fill="#8f6a3d" d="M36 244h248v166h-248z"/>{boards}<path fill="#c79f6d" d="M36 244h12v166h-12zM272 244h12v166h-12z"/>'
        '<path fill="none" stroke="#9c7444" stroke-width=".8" opacity=".6" d="M52 262q60 8 120 0t98 4M52 322q80-8 140 0t78-2M52 380q50 6 110 0t108 2"/>'
        '<path fill="none" stroke="#a67f45" stroke-width="8" stroke-linecap="round" d="M112 270C112 340 208 340 208 270"/>'
        '<path fill="none" stroke="#e6cf9f" stroke-width="2" stroke-dasharray="5 5" d="M112 272C112 338 208 338 208 272"/>'
        '<circle cx="112" cy="268" r="7" fill="#5d4324"/><circle cx="208" cy="268" r="7" fill="#5d4324"/>'
    )


DRAWINGS: dict[str, str] = {
    "ACC-CORK": _CORKSCREW,
    "ACC-GLASS-2": _glass(106, "#7b1e3f", "#9c3a5c") + _glass(218, "#d9cf7e", "#ece6ad"),
    "ACC-GIFT-1": _gift_one(),
    "ACC-GIFT-3": _gift_three(),
}
"""The drawing of every accessory by its SKU."""

_FLOOR = {"ACC-CORK": (372, 70), "ACC-GLASS-2": (394, 124), "ACC-GIFT-1": (410, 84), "ACC-GIFT-3": (412, 140)}


def accessory_svg(accessory: Accessory) -> str:
    """A picture of the accessory as one SVG document under the same rules as `label_svg`; KeyError for an unknown SKU."""
    key = accessory.sku.lower() + "-"
    floor, spread = _FLOOR[accessory.sku]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}t">'
        f'<title id="{key}t">{escape(accessory.title)}</title>'
        f'<radialGradient id="{key}b" cy=".42" r=".75"><stop stop-color="#f4f0ec"/><stop offset="1" stop-color="#d8cfc8"/></radialGradient>'
        f'<path fill="url(#{key}b)" d="M0 0H{WIDTH}V{HEIGHT}H0z"/><ellipse cx="164" cy="{floor}" rx="{spread}" ry="9" fill="#3a2018" opacity=".2"/>'
        f"{DRAWINGS[accessory.sku]}</svg>"
    )

"""What axe-core finds against WCAG 2.2 AA on a page, in the light and in the dark."""

from __future__ import annotations

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
EVERYTHING: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": TAGS},
    "resultTypes": ["violations"],
    "preload": False,
}
COLOURS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
UNCOLOURED: dict[str, Any] = {**EVERYTHING, "rules": {"color-contrast": {"enabled": False}}}
Scheme = Literal["light", "dark"]


def barriers(page: Page, *, dark: bool, both: bool, colours: bool = True) -> list[str]:
    """One line for every rule that the page breaks as it stands; if `both`, for colours too weak in the other scheme.

    The colours themselves are held to their contrast in both schemes by a test of the tokens; to measure them on a page
    costs four times as much as all other rules together, and is left out without `colours`.
    """
    schemes: tuple[Scheme, Scheme] = ("dark", "light") if dark else ("light", "dark")
    # A colour on its way to another is neither.
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(Axe().axe_script)
    found = _lines(page, EVERYTHING if colours or both else UNCOLOURED, schemes[0])
    if not both:
        return found
    page.emulate_media(color_scheme=schemes[1])
    found += _lines(page, COLOURS, schemes[1])
    page.emulate_media(color_scheme=schemes[0])
    return found


def _lines(page: Page, options: dict[str, Any], scheme: Scheme) -> list[str]:
    told = page.evaluate("options => axe.run(document, options).then(r => r.violations)", options)
    return [
        f"{rule['id']} ({scheme}): {node['html'][:160]} {' '.join(node['failureSummary'].split())[:240]}"
        for rule in told
        for node in rule["nodes"][:3]
    ]

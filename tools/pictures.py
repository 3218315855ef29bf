"""Make the pictures of README and guide anew: `python -m tools.pictures http://127.0.0.1:8000`, beside a running demo.

They are kept in docs/pictures, as the pages look in Chromium. Nothing in the demo is changed. Raises
playwright.sync_api.Error where there is no such page, SystemExit where there is no Chromium.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tools import bootstrap

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
FONTS = ROOT / "counterfoil" / "core" / "papers" / "fonts"
WIDE, PHONE = (1280, 800), (390, 760)
PASSWORD = "counterfoil-demo"  # which `counterfoil run --demo` prints


@dataclass(frozen=True)
class Picture:
    """A page, by whom it is looked at, and what is clicked first."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    who: str = "owner@example.com"
    click: str = ""


SHOWN = (
    Picture("review", "/desk/queues/review"),
    Picture("charge", "/desk/queues/charge"),
    Picture("call", "/desk/queues/call"),
    Picture("pick", "/desk/floor/pick?batch=4", PHONE, "picker@example.com"),
    Picture("how-it-works", "/how-it-works"),
    Picture("shop", "/", PHONE),
    Picture("promises", "/desk/promises"),
    Picture("close", "/desk/close"),
)


def main(arguments: list[str] | None = None) -> int:
    """Open each page in Chromium and keep its picture."""
    parser = argparse.ArgumentParser(prog="tools.pictures", description="Pictures of a running demo for the docs.")
    parser.add_argument("base", help="where the demo answers, such as http://127.0.0.1:8000")
    parser.add_argument("--only", default="", help="comma-separated names")
    chosen = parser.parse_args(arguments)
    chromium = bootstrap.find_chromium()
    if chromium is None:
        raise SystemExit("There is no Chromium; `make test` installs one.")
    wanted = set(filter(None, chosen.only.split(",")))
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"], env=_with_fonts(Path(folder))
        )
        for shown in SHOWN:
            if wanted and shown.name not in wanted:
                continue
            width, height = shown.size
            context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
            page = context.new_page()
            page.set_default_timeout(60_000)
            _log_in(page, chosen.base, shown.who)
            page.goto(f"{chosen.base}{shown.path}")
            if shown.click:
                page.locator(shown.click).first.click()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=str(PICTURES / f"{shown.name}.png"))
            context.close()
        browser.close()
    return 0


def _with_fonts(folder: Path) -> dict[str, str | float | bool]:
    """The environment of a browser that has the papers' fonts beside the machine's own: for names in any script."""
    told = folder / "fonts.conf"
    told.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f'<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{FONTS}</dir></fontconfig>'
    )
    return {**os.environ, "FONTCONFIG_FILE": str(told)}


def _log_in(page: Page, base: str, email: str) -> None:
    page.goto(f"{base}/desk/login")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/desk/**")


if __name__ == "__main__":
    raise SystemExit(main())

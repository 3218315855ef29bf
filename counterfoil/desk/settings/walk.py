"""The first steps of a fresh shop: what is asked in which order, what was kept or skipped, what is still missing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.conf import settings

from counterfoil.core.db import rows, writing
from counterfoil.core.models import Setting
from counterfoil.core.shop import shop, take_settings
from counterfoil.desk.settings.missing import Facts, Lack, missing
from counterfoil.desk.settings.sections import CALENDAR, DELIVERY, MONEY, PAPERS, SHOP, Section

KEY = "first_steps"  # the row of core's settings that holds what was done
KEPT, SKIPPED = "kept", "skipped"


@dataclass(frozen=True)
class Step:
    """One stop of the walk; `section` is the form that it shows, if it is one of settings."""

    code: str
    title: str
    lead: str
    section: Section | None = None


def _part(section: Section, title: str, *groups: str) -> Section:
    """Some groups of a section, by their titles, as a page of its own. Raises KeyError for a title that is none."""
    known = {group.title: group for group in section.groups}
    return replace(section, title=title, groups=tuple(known[name] for name in groups))


STEPS = (
    Step("shop", "Name, logo and address", "What stands on every page, mail and paper.", SHOP),
    Step("currency", "Currency", "Prices and books are kept in it. It stays once there are products.",
         _part(MONEY, "Currency", "Currency")),
    Step("calendar", "Calendar and time zone", "Every promised date is counted with your working days.", CALENDAR),
    Step("delivery", "Delivery", "What shipping costs, and where you may not ship.",
         _part(DELIVERY, "Delivery", "Delivery methods", "Cut-offs", "States not served")),
    Step("tax", "Tax", "What is due where. Ask your accountant; no row means no tax.",
         _part(DELIVERY, "Tax", "Tax by destination")),
    Step("charging", "When the card is charged", "Not before you know that you can deliver.",
         _part(MONEY, "Charging", "When the card is charged")),
    Step("paper", "Paper", "Letter or A4, and which paper is printed when.", PAPERS),
    Step("mails", "The wording of mails", "Every customer gets this one first, in your words or as it is delivered."),
    Step("staff", "Colleagues", "Each with a log-in and a role of their own. You can go on alone."),
    Step("products", "First products", "From a file that any spreadsheet writes."),
    Step("test-order", "A test order", "Walk one order through the whole process before a customer does."),
)  # fmt: skip
BY_CODE = {step.code: step for step in STEPS}


def done() -> dict[str, str]:
    """What was kept or skipped so far, by step."""
    found = rows("SELECT value FROM core_setting WHERE key = %s", [KEY])
    value = json.loads(found[0][0]) if found and isinstance(found[0][0], str) else found[0][0] if found else {}
    return {str(k): str(v) for k, v in dict(value).items() if k in BY_CODE}


def mark(code: str, how: str) -> None:
    """Remember that a step was kept or skipped; what was kept is not skipped afterwards."""
    with writing():
        take_settings()
        before = done()
        if before.get(code) != KEPT:
            Setting.objects.update_or_create(key=KEY, defaults={"value": {**before, code: how}})


def after(code: str) -> str:
    """The address of the step that follows."""
    codes = [step.code for step in STEPS]
    at = codes.index(code) + 1
    return f"/desk/setup/{codes[at]}" if at < len(codes) else "/desk/setup"


def first_open(found: Mapping[str, str]) -> Step | None:
    """The first step that nobody has looked at."""
    return next((step for step in STEPS if step.code not in found), None)


def lacks() -> list[Lack]:
    """What is missing before the first sale; a demo sells nothing."""
    return [] if settings.DEMO else missing(shop(), facts())


def facts() -> Facts:
    products = int(rows("SELECT COUNT(*) FROM (SELECT 1 FROM catalogue_product LIMIT 1000) AS few")[0][0])
    return Facts(products, bool(settings.STRIPE_API_KEY), bool(settings.EMAIL_URL), settings.BASE_URL)

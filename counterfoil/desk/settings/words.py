"""What is set, in words: for the overview, and for the log of changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from counterfoil.core.money import PPM, show
from counterfoil.core.shop import Shop
from counterfoil.desk.saying import say_date, units
from counterfoil.desk.settings.form import WEEKDAYS
from counterfoil.desk.settings.sections import CHARGE_ON, CHECKOUT, LABELS, LOTS_BY, PAPER
from counterfoil.steps.checkout.countries import COUNTRIES

MOST = 160  # characters of one value in the log


def overview(shop: Shop) -> dict[str, list[str]]:
    """A few lines for each section."""
    return {
        "shop": [
            ", ".join([shop.name, *shop.address]),
            " · ".join(filter(None, (shop.email, shop.phone))),
            "With a logo." if shop.logo else "No logo: the name heads everything.",
        ],
        "money": [f"{shop.currency}. {CHECKOUT[shop.card_at_checkout][0]}.", f"Taken when: {_later(shop)}."],
        "calendar": [f"{shop.timezone}. Works {_days(shop.working_days)}.", _holidays(shop)],
        "delivery": [_deliveries(shop), _taxes(shop), _refused(shop)],
        "stock": [f"Picked first: {_low(LOTS_BY[shop.lots_by][0])}.", _by_hand(shop)],
        "promises": [
            f"Ships within {units(shop.ship_within_days, 'business day')} when all is here.",
            f"The customer is asked {units(shop.notice_days, 'day')} before a date that will not hold.",
        ],
        "paper": [f"{PAPER[shop.paper][0]}."],
    }


def _low(text: str) -> str:
    return text[:1].lower() + text[1:]


def _later(shop: Shop) -> str:
    return _low(CHARGE_ON[shop.charge_on][0])


def _days(found: list[int]) -> str:
    days = sorted(found)
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{WEEKDAYS[days[0]]} to {WEEKDAYS[days[-1]]}"
    return ", ".join(WEEKDAYS[d] for d in days)


def _holidays(shop: Shop) -> str:
    coming = sorted(day for day in map(date.fromisoformat, shop.holidays) if day >= shop.today())
    if not coming:
        return "No holiday ahead."
    return f"{units(len(coming), 'holiday')} ahead, the next on {say_date(coming[0])}."


def _deliveries(shop: Shop) -> str:
    offered = [f"{d['method']} {show(int(d['price']), shop.currency)}" for d in shop.deliveries]
    return f"{', '.join(offered)}." if offered else "No delivery method: nobody can check out."


def _taxes(shop: Shop) -> str:
    if not shop.zones:
        return "No tax anywhere."
    return f"Tax in {units(len(shop.zones), 'destination')}; none elsewhere."


def _refused(shop: Shop) -> str:
    if not shop.not_served:
        return "Ships everywhere."
    places = [f"{r['state']}, {r['country']}" if r.get("state") else COUNTRIES.get(r["country"], r["country"])
              for r in shop.not_served]  # fmt: skip
    return f"Not to {'; '.join(places[:4])}{' and others' if len(places) > 4 else ''}."


def _by_hand(shop: Shop) -> str:
    by_hand = [
        word
        for word, hand in (("sales order", shop.sales_order_by_hand), ("stock check", shop.stock_check_by_hand))
        if hand
    ]
    return f"By hand: {' and '.join(by_hand)}." if by_hand else "Sales order and stock check come with the approval."


def label_of(name: str) -> str:
    """What a setting is called on its page."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def value_in_words(name: str, value: Any, currency: str) -> str:
    """A value as the log shows it, however long it is."""
    if name == "terms" and value:
        text = f"“{value}”"
    elif name == "working_days" and isinstance(value, list):
        text = _days(value)
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = "; ".join(_row(one, currency) for one in value)
    elif name == "logo":
        text = f"a picture of {value['width']} × {value['height']} ({value['name'][:6]})" if value else ""
    elif isinstance(value, dict):
        text = "; ".join(f"{key}: {_row(one, currency)}" for key, one in value.items())
    else:
        text = str(value) if value is not None else ""
    return (text[: MOST - 1] + "…" if len(text) > MOST else text) or "nothing"


_COLUMNS = (
    "from", "country", "state", "method", "carrier", "network", "class", "code", "codes", "rates", "price", "attempts",
    "days", "silent_days", "reason", "subject", "opening", "closing", "source",
)  # fmt: skip
_ORDER = {name: at for at, name in enumerate(_COLUMNS)}


def _row(row: Any, currency: str) -> str:
    if not isinstance(row, dict):
        return str(row)
    words = []
    # PostgreSQL keeps JSON in an order of its own.
    for name, cell in sorted(row.items(), key=lambda one: _ORDER.get(one[0], len(_ORDER))):
        if name == "price":
            words.append(show(int(cell), currency))
        elif name == "days" and "method" in row:
            words.append(units(int(cell), "working day"))
        elif name == "rates":
            words += [f"{kind} {int(rate) * 100 / PPM:g} %" for kind, rate in cell.items()]
        elif isinstance(cell, list):
            words.append(" ".join(map(str, cell)))
        elif cell not in ("", None):
            words.append(str(cell))
    return " ".join(words)


def differences(name: str, before: Any, after: Any, currency: str) -> list[tuple[str, str]]:
    """What went and what came, as ("was", words) and ("is", words); of a list only the rows that differ."""
    if isinstance(before, list) and isinstance(after, list) and name != "working_days":
        gone = [row for row in before if row not in after]
        new = [row for row in after if row not in before]
        found = [("was", _row(row, currency)) for row in gone] + [("is", _row(row, currency)) for row in new]
        return [(kind, text[:MOST]) for kind, text in found][:12] or [("is", "another order of the same rows")]
    if isinstance(before, dict) and isinstance(after, dict) and name != "logo":
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        before, after = ({key: held[key] for key in keys if held.get(key)} for held in (before, after))
    return [("was", value_in_words(name, before, currency)), ("is", value_in_words(name, after, currency))]

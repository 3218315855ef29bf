"""What the shop owner decides, with the delivered defaults. Read through a short-lived copy in each process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from datetime import time as dtime
from typing import Any
from zoneinfo import ZoneInfo

from counterfoil.core import clock
from counterfoil.core.cards import mask_tree
from counterfoil.core.cutoffs import carrier_of, check_cut_offs, leaves_by
from counterfoil.core.db import execute, in_writing, is_postgres, rows
from counterfoil.core.paperwork import check_paper_settings
from counterfoil.core.promises import PROMISE_RULES, PromiseRule, check_promise_settings, rule_of
from counterfoil.core.retries import DECLINE_CLASSES, RETRY_LIMITS, RetryLimit, check_settings, class_of, limits_of
from counterfoil.core.shop_checks import check_shop_settings

TTL = 2.0  # seconds that a process believes its copy
TRANSIT_DAYS = 3  # of a delivery that does not say how long it takes
# Called in the transaction of a change with the names that were changed: core cannot import what follows from it.
_on_change: list[Callable[[frozenset[str]], None]] = []


@dataclass(frozen=True)
class Shop:
    """Every setting. Rates are in millionths (7.25 % = 72500); prices in minor units of `currency`."""

    name: str = "Counterfoil"
    address: list[str] = field(default_factory=list)
    # As `core/logos.py` keeps it: {"name", "width", "height"}, or nothing.
    logo: dict[str, Any] = field(default_factory=dict)
    tax_number: str = ""
    email: str = "shop@example.com"
    phone: str = ""
    currency: str = "USD"
    timezone: str = "America/Los_Angeles"
    paper: str = "letter"
    # Which paper is printed when; the choices stand in core/paperwork.py.
    print_at: str = "approval"
    file_copy: str = "paper"
    packing_slips: str = "all"
    gift_papers: str = "mail"
    working_days: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    holidays: list[str] = field(default_factory=list)
    # How many business days ahead goods that a supplier has confirmed count as good as here (step 5).
    charge_within_days: int = 2
    # Days from order to dispatch that the review screen proposes when everything is in stock.
    ship_within_days: int = 1
    sales_order_by_hand: bool = False
    stock_check_by_hand: bool = False
    # Tax by destination: the first zone that matches country (and state, if it names one); rates by tax class.
    zones: list[dict[str, Any]] = field(default_factory=list)
    # `days`: working days from our door to the customer's; TRANSIT_DAYS where a delivery does not say.
    deliveries: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"method": "Ground", "price": 1500, "days": 3},
            {"method": "Express", "price": 3500, "days": 1},
        ]
    )
    # Until when on a working day each carrier takes parcels: {"carrier", "at": "16:30"}. Which carrier takes those of a
    # delivery method stands with the method: {"method", "price", "carrier"?}.
    cut_offs: list[dict[str, str]] = field(default_factory=list)
    # Where the shop may not ship, with the reason that the customer reads: {"country", "state"?, "reason"}.
    not_served: list[dict[str, str]] = field(default_factory=list)
    proposal_days: int = 7
    # What a unit of a substitute costs unless a clerk says otherwise: its "own" price, the "lower" of both, or what the
    # "ordered" one costs.
    substitute_price: str = "own"
    # The card at check-out: "save" it (nothing is held), or "authorise" the total at once and capture it later.
    card_at_checkout: str = "save"
    # What a charge waits for beyond its gate: "confirmed" (nothing), "packed", or "shipped" (the shipment charges).
    charge_on: str = "confirmed"
    # How long before the bank lets an authorised amount go the desk is warned.
    authorisation_warning_days: int = 2
    # After a decline: what each code means, how often a card may be tried (both dated, see `core/retries.py`), how many
    # hours after the first decline we try it again by ourselves, how many days the goods are kept, and on which days
    # and at which hour of them the customer is reminded (-1: the day before the last).
    decline_classes: list[dict[str, Any]] = field(default_factory=lambda: list(DECLINE_CLASSES))
    retry_limits: list[dict[str, Any]] = field(default_factory=lambda: list(RETRY_LIMITS))
    retry_after_hours: list[int] = field(default_factory=lambda: [24, 72, 120])
    grace_days: int = 7
    reminder_days: list[int] = field(default_factory=lambda: [2, -1])
    reminder_hour: int = 9
    # By when an order must ship, and when silence is a yes: dated rules by destination, see `core/promises.py`. And how
    # many days before a promised or legal date its customer is asked, where the goods are not here.
    promise_rules: list[dict[str, Any]] = field(default_factory=lambda: [dict(row) for row in PROMISE_RULES])
    notice_days: int = 5
    # A charged order that cannot be shipped: business days for the customer's answer, then all of it is refunded.
    cannot_ship_days: int = 3
    terms: str = ""
    # The shop's own words by kind of mail: {"subject", "opening", "closing"}, see `gateways/mail/wording.py`.
    mail_words: dict[str, dict[str, str]] = field(default_factory=dict)
    # Which lot of a product is picked first: "fefo" (the date that ends first, then the oldest) or "fifo" (the oldest).
    lots_by: str = "fefo"
    # How long approvals, and acts at the desk that mail the customer, wait for an Undo; 0: they go out at once.
    undo_seconds: int = 20

    def today(self) -> date:
        return clock.business_today(self.timezone)

    def day_of(self, moment: datetime) -> date:
        """The date that a moment has where the shop stands."""
        return moment.astimezone(ZoneInfo(self.timezone)).date()

    def day_ends_at(self) -> datetime:
        """The shop's next midnight, in UTC."""
        return clock.start_of_day(self.today() + timedelta(days=1), self.timezone)

    def works_on(self, day: date) -> bool:
        """Whether that day is one of the shop's working days."""
        return self.working_day(day) == day

    def carrier_of(self, method: str) -> str:
        """Who takes the parcels of a delivery method; "" where nobody has said."""
        return carrier_of(method, self.deliveries)

    def carriers(self) -> list[str]:
        """The carriers that the shop works with, as far as its settings name them."""
        named = [str(row["carrier"]) for row in self.cut_offs]
        return list(dict.fromkeys([*named, *(str(d["carrier"]) for d in self.deliveries if d.get("carrier"))]))

    def leaves_by(self, method: str) -> int:
        """Minutes of the shop's day until which a parcel of this delivery method must be ready."""
        return leaves_by(method, self.deliveries, self.cut_offs)

    def business_days_from(self, start: date, days: int) -> date:
        return clock.add_business_days(
            start,
            days,
            weekdays=frozenset(self.working_days),
            holidays=frozenset(date.fromisoformat(d) for d in self.holidays),
        )

    def business_days_between(self, start: date, end: date) -> int:
        """How many of the shop's working days lie after `start`, up to and with `end`."""
        return clock.business_days_between(
            start,
            end,
            weekdays=frozenset(self.working_days),
            holidays=frozenset(date.fromisoformat(d) for d in self.holidays),
        )

    def working_day(self, day: date) -> date:
        """That day, or the shop's next working day."""
        return self.business_days_from(day - timedelta(days=1), 1)

    def transit_days(self, method: str) -> int:
        """Working days on the way with a delivery; 0 for one that is not the shop's: nothing is known of it."""
        found = next((d for d in self.deliveries if d.get("method") == method), None)
        return int(found.get("days", TRANSIT_DAYS)) if found else 0

    def arrives(self, ships: date, method: str) -> date:
        """The day on which the customer has what ships on that day."""
        return self.business_days_from(ships, self.transit_days(method))

    def promise_rule(self, *, country: str, on: date) -> PromiseRule:
        """The rule about promised dates for an order placed on that day to that country."""
        return rule_of(self.promise_rules, country=country, on=on)

    def charged_when(self) -> str:
        """When a card is charged, as the customer reads it: "... charged only" this."""
        if self.charge_on == "packed":
            return "when everything is packed"
        if self.charge_on == "shipped":
            return "when the parcel is handed to the carrier"
        return "when everything can ship"

    def charge_horizon(self) -> date:
        """The last day on which confirmed goods may arrive for the charge gate to open today."""
        return self.business_days_from(self.today(), self.charge_within_days)

    def moment_of(self, day: date, at: dtime) -> datetime:
        """A time of day where the shop stands, in UTC."""
        return datetime.combine(day, at, ZoneInfo(self.timezone)).astimezone(UTC)

    def decline_class(self, code: str) -> str:
        """What follows this decline code today: never, later, customer or ours."""
        return class_of(code, self.decline_classes, on=self.today())

    def limits_for(self, brand: str) -> tuple[RetryLimit, ...]:
        """How often a card of this brand may be tried today."""
        return limits_of(brand, self.retry_limits, on=self.today())

    def tax_rate_ppm(self, tax_class: str, *, country: str, state: str) -> int:
        """The destination's rate for a tax class in millionths; 0 where no zone matches."""
        for zone in self.zones:
            if zone.get("country") == country and zone.get("state", state) == state:
                return int(zone.get("rates", {}).get(tax_class, 0))
        return 0

    def refuses(self, *, country: str, state: str) -> str | None:
        """Why we may not ship there; None when we may."""
        for rule in self.not_served:
            if rule.get("country") == country and rule.get("state", state) == state:
                return str(rule.get("reason", "we do not ship there"))
        return None

    def tells_states_apart(self, country: str) -> bool:
        """Whether we may ship to some states of a country and not to others: then an address must name its own."""
        return any(rule.get("country") == country and rule.get("state") for rule in self.not_served)


_held: tuple[float, Shop] | None = None


def shop() -> Shop:
    """The settings as they stand, at most two seconds old."""
    global _held
    now = time.monotonic()
    if _held is not None and now - _held[0] < TTL:
        return _held[1]
    known = {f.name for f in fields(Shop)}
    stored = {
        key: json.loads(value) if isinstance(value, str) else value
        for key, value in rows("SELECT key, value FROM core_setting")
        if key in known
    }
    value = Shop(**stored)
    _held = (now, value)
    return value


def take_settings() -> None:
    """Whoever changes settings or staff waits here for the one before, and then reads what that one left."""
    if not in_writing():
        raise RuntimeError("settings are changed inside writing()")
    cast = "%s::jsonb" if is_postgres() else "%s"
    execute(
        f"INSERT INTO core_setting (key, value) VALUES ('settings_turn', {cast}) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        ["0"],
    )
    forget()


def change(**values: Any) -> None:
    """Store settings; call inside `writing()`. Raises ValueError: no such name, a bad value (named), a card number."""
    if not in_writing():
        raise RuntimeError("settings are changed inside writing()")
    unknown = set(values) - set(asdict(Shop()))
    if unknown:
        raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
    cards = [name for name, value in values.items() if mask_tree(value) != value]
    if cards:
        raise ValueError(f"this looks like a card number: {', '.join(cards)}")
    check_settings(values)
    check_promise_settings(values)
    check_shop_settings(values)
    check_cut_offs(values)
    check_paper_settings(values)
    cast = "%s::jsonb" if is_postgres() else "%s"
    for key, value in values.items():
        execute(
            f"INSERT INTO core_setting (key, value) VALUES (%s, {cast}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, json.dumps(value)],
        )
    for call in _on_change:
        call(frozenset(values))
    forget()


def on_change(call: Callable[[frozenset[str]], None]) -> None:
    """Register what is to be done, inside the same transaction, when settings of these names have been stored."""
    _on_change.append(call)


def forget() -> None:
    """Drop this process's copy: after a change, and between tests."""
    global _held
    _held = None

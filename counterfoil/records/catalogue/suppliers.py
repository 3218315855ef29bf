"""Whom we buy from: entering and changing a supplier, and when an order to one still goes today."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError

from counterfoil.core import clock, journal
from counterfoil.core.actor import BUYER, Actor, require
from counterfoil.core.db import writing
from counterfoil.core.errors import Invalid, Missing
from counterfoil.core.money import MAX_AMOUNT, decimals
from counterfoil.core.shop import Shop, shop
from counterfoil.core.text import clean_email, clean_phone
from counterfoil.records.catalogue.fields import SUBJECT, Errors, number_field, text_field
from counterfoil.records.catalogue.models import Supplier
from counterfoil.records.stock.promise import ENOUGH

MOST_DAYS = 3650
FIELDS = ("name", "email", "contact", "phone", "currency", "lead_time_days", "minimum", "cut_off", "order_days")


def create_supplier(
    *,
    actor: Actor,
    name: str,
    email: str = "",
    lead_time_days: int = 7,
    contact: str = "",
    phone: str = "",
    currency: str = "",
    minimum: int = 0,
    cut_off: time | str | None = None,
    order_days: Sequence[int] = (),
) -> Supplier:
    """Enter a supplier. Raises Forbidden or Invalid, also for a name that is taken.

    `currency` "" is the shop's; `minimum` is in minor units of it. An order that is sent before `cut_off` (of the
    shop's clock; None: the whole day) on one of `order_days` (Monday is 0; none named: the shop's working days) goes
    the same day.
    """
    require(actor, BUYER)
    errors: Errors = []
    given = {
        "name": name, "email": email, "lead_time_days": lead_time_days, "contact": contact, "phone": phone,
        "currency": currency, "minimum": minimum, "cut_off": cut_off, "order_days": order_days,
    }  # fmt: skip
    values = _read(given, errors)
    _taken(values.get("name", ""), None, errors)
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            made = Supplier.objects.create(**values)
            _note(made, "supplier_created", f"{made.name} is a supplier", {}, actor)
    except IntegrityError as error:
        raise Invalid(("name", f"there is a supplier {values['name']} already")) from error
    return made


def change_supplier(*, actor: Actor, supplier: int, **given: Any) -> Supplier:
    """Change what is named of a supplier, see `create_supplier`; the rest stays. The same values change nothing.

    Purchase orders that exist keep the currency they were made in. Raises Forbidden, Missing or Invalid.
    """
    require(actor, BUYER)
    strange = sorted(set(given) - set(FIELDS))
    if strange:
        raise ValueError(f"a supplier has no {strange[0]}")
    errors: Errors = []
    values = _read(given, errors)
    if "name" in values:
        _taken(values["name"], supplier, errors)
    if errors:
        raise Invalid(*errors)
    try:
        with writing():
            kept = Supplier.objects.select_for_update().filter(pk=supplier).first()
            if kept is None:
                raise Missing("there is no such supplier")
            changed = {name: value for name, value in values.items() if getattr(kept, name) != value}
            for name, value in changed.items():
                setattr(kept, name, value)
            if changed:
                kept.save(update_fields=list(changed))
                words = ", ".join(name.replace("_", " ") for name in changed)
                _note(kept, "supplier_changed", f"{kept.name}: {words} changed", changed, actor)
    except IntegrityError as error:
        raise Invalid(("name", f"there is a supplier {values['name']} already")) from error
    return kept


def _note(supplier: Supplier, kind: str, text: str, changed: Mapping[str, Any], actor: Actor) -> None:
    journal.record(
        kind,
        subject=supplier.name[:SUBJECT],
        actor=actor,
        text=text[:500],
        data={"supplier": supplier.pk, **{k: v.isoformat() if isinstance(v, time) else v for k, v in changed.items()}},
        advance=False,
    )


def _taken(name: str, own: int | None, errors: Errors) -> None:
    others = Supplier.objects.filter(name=name)
    if name and (others if own is None else others.exclude(pk=own)).exists():
        errors.append(("name", f"there is a supplier {name} already"))


def _read(given: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
    """The named fields as they are kept; what is wrong with one is noted at it."""
    readers: dict[str, Callable[[Any], Any]] = {
        "name": lambda v: text_field(v, "name", 200, errors, needed=True),
        "email": lambda v: _email(v, errors),
        "contact": lambda v: text_field(v, "contact", 200, errors),
        "phone": lambda v: text_field(v, "phone", 40, errors, kind=clean_phone),
        "currency": lambda v: _currency(v, errors),
        "lead_time_days": lambda v: number_field(v, "lead_time_days", errors, most=MOST_DAYS),
        "minimum": lambda v: number_field(v, "minimum", errors, most=MAX_AMOUNT // 1000),
        "cut_off": lambda v: _time(v, errors),
        "order_days": lambda v: _days(v, errors),
    }
    return {name: readers[name](value) for name, value in given.items()}


def _email(value: object, errors: Errors) -> str:
    address = text_field(value, "email", 254, errors, kind=clean_email)
    if address:
        try:
            validate_email(address)
        except ValidationError:
            errors.append(("email", f"{address!r} is not an e-mail address"))
    return address


def _currency(value: object, errors: Errors) -> str:
    code = str(value or "").strip().upper()
    if code:
        try:
            decimals(code)
        except ValueError as error:
            errors.append(("currency", str(error)))
            return ""
    return code


def _time(value: object, errors: Errors) -> time | None:
    if value is None or value == "":
        return None
    try:
        found = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        errors.append(("cut_off", "a time of the shop's clock such as 14:00"))
        return None
    return found.replace(second=0, microsecond=0)


def _days(value: object, errors: Errors) -> list[int]:
    words = "weekdays as numbers from 0 (Monday) to 6 (Sunday)"
    if not isinstance(value, list | tuple):
        errors.append(("order_days", words))
        return []
    wrong = [at for at, d in enumerate(value) if isinstance(d, bool) or d not in range(7)]
    errors += [(f"order_days.{at}", words) for at in wrong]
    return [] if wrong else sorted({int(d) for d in value})


def find_supplier(wanted: str | int, errors: Errors) -> Supplier | None:
    """A supplier by name or id; None, and an error on `supplier`, when there is none."""
    text = str(wanted).strip()
    found = None if isinstance(wanted, int) else Supplier.objects.filter(name=text).first()
    if found is None and len(text) <= 10 and text.isascii() and text.isdigit():
        found = Supplier.objects.filter(pk=int(text)).first()
    if found is None:
        errors.append(("supplier", f"there is no supplier {text}: create it first"))
    return found


def currency_of(supplier: Supplier) -> str:
    """In what the supplier is paid."""
    return supplier.currency or shop().currency


def goes_on(supplier: Supplier, settings: Shop) -> date:
    """The day on which the supplier takes up an order that is sent now: today, or the next of their days."""
    now = clock.business_now().astimezone(ZoneInfo(settings.timezone))
    first = settings.today()
    if supplier.cut_off is not None and now.time() >= supplier.cut_off:
        first += timedelta(days=1)
    return next_day(first, *days_of(supplier, settings))


def days_of(supplier: Supplier, settings: Shop) -> tuple[list[int], list[str]]:
    """The weekdays on which the supplier takes orders, and the days on which nobody works."""
    return list(supplier.order_days or settings.working_days), list(settings.holidays)


def next_day(first: date, weekdays: Sequence[int], holidays: Sequence[str]) -> date:
    """`first` or the next day that is one of these weekdays and no holiday; `first` where there is none in a year."""
    for ordinal in range(first.toordinal(), first.toordinal() + 366):
        day = date.fromordinal(ordinal)
        if day.weekday() in weekdays and day.isoformat() not in holidays:
            return day
    return first


def lead_json(supplier: Supplier) -> dict[str, Any]:
    """A supplier's lead time in business days: by their word, and as their deliveries have taught us."""
    learnt = supplier.learnt_days is not None and supplier.learnt_from >= ENOUGH
    return {
        "days": supplier.learnt_days if learnt else supplier.lead_time_days,
        "source": "learnt" if learnt else "supplier",
        "word": supplier.lead_time_days,
        "p80": supplier.learnt_days,
        "observations": supplier.learnt_from,
    }


def supplier_json(supplier: Supplier) -> dict[str, Any]:
    """The API's supplier."""
    return {
        "id": supplier.pk,
        "name": supplier.name,
        "email": supplier.email,
        "contact": supplier.contact,
        "phone": supplier.phone,
        "currency": currency_of(supplier),
        "lead_time_days": supplier.lead_time_days,
        "lead_time": lead_json(supplier),
        "minimum": supplier.minimum,
        "cut_off": supplier.cut_off.strftime("%H:%M") if supplier.cut_off else None,
        "order_days": list(supplier.order_days),
    }

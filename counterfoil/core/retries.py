"""Declined cards, as the shop has settled it: what follows a decline code, and how often a card may be tried again.

Networks change these rules, so they are rows with the day from which the shop goes by them and where it was read. What
stands here are the delivered defaults, from secondary sources read in November 2026; the shop's settings
`decline_classes` and `retry_limits` replace them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

# never: not with this card · later: it may work in some days · customer: they must act · ours: to be mended here
CLASSES = ("never", "later", "customer", "ours")
NETWORKS = ("visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "eftpos_au", "link", "*")
MOST_HOURS, MOST_DAYS, MOST_TRIES = 24 * 60, 90, 100

_VISA = "Visa's decline category 1 (issuer will never approve), in the words of Stripe's decline codes"
_STRIPE = "Stripe's decline codes and their next steps"
DECLINE_CLASSES: tuple[dict[str, Any], ...] = (
    {
        "from": "2021-04-01",
        "class": "never",
        "codes": ["pickup_card", "lost_card", "stolen_card", "invalid_account", "incorrect_number", "invalid_number",
                  "not_permitted", "transaction_not_allowed", "stop_payment_order", "revocation_of_authorization",
                  "revocation_of_all_authorizations"],
        "source": _VISA,
    },
    {
        "from": "2021-04-01",
        "class": "never",
        "codes": ["do_not_try_again", "fraudulent", "merchant_blacklist", "highest_risk_level"],
        "source": "Mastercard's advice code 03, and the processor's own suspicion of fraud",
    },
    {
        "from": "2021-04-01",
        "class": "later",
        "codes": ["insufficient_funds", "card_velocity_exceeded", "withdrawal_count_limit_exceeded", "processing_error",
                  "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id", "do_not_honor",
                  "generic_decline", "no_action_taken", "card_declined"],
        "source": f"Visa's categories 2 and 4; {_STRIPE}",
    },
    {
        "from": "2021-04-01",
        "class": "customer",
        "codes": ["authentication_required", "authentication_not_handled", "mobile_device_authentication_required",
                  "expired_card", "incorrect_cvc", "invalid_cvc", "incorrect_zip", "incorrect_address",
                  "invalid_expiry_month", "invalid_expiry_year", "new_account_information_available", "call_issuer",
                  "card_not_supported", "currency_not_supported", "restricted_card", "security_violation",
                  "service_not_allowed", "pin_try_exceeded"],
        "source": f"Visa's category 3; {_STRIPE}",
    },
    {
        "from": "2021-04-01",
        "class": "ours",
        "codes": ["processor_refused", "invalid_amount", "duplicate_transaction", "test_mode_decline"],
        "source": f"our own word for a call that the processor does not take; {_STRIPE}",
    },
)  # fmt: skip
RETRY_LIMITS: tuple[dict[str, Any], ...] = (
    {"from": "2021-04-01", "network": "visa", "attempts": 15, "days": 30, "source": "Visa, categories 2 to 4"},
    {"from": "2021-04-01", "network": "mastercard", "attempts": 10, "days": 1, "source": "as a processor enforces it"},
    {"from": "2023-11-01", "network": "mastercard", "attempts": 35, "days": 30,
     "source": "Mastercard, Transaction Processing Excellence"},
    {"from": "2021-04-01", "network": "*", "attempts": 10, "days": 30, "source": "the shop's own"},
)  # fmt: skip


@dataclass(frozen=True)
class RetryLimit:
    """At most so many declined attempts on one card in so many days. `network` as the processor calls the brand."""

    network: str
    attempts: int
    days: int


def class_of(code: str, classes: Iterable[Mapping[str, Any]], *, on: date) -> str:
    """The class of a decline code by the newest row in force on that day; an unknown code is the customer's to ask."""
    found = [row for row in classes if code in row["codes"] and date.fromisoformat(row["from"]) <= on]
    return str(max(found, key=lambda row: str(row["from"]))["class"]) if found else "customer"


def limits_of(brand: str, limits: Iterable[Mapping[str, Any]], *, on: date) -> tuple[RetryLimit, ...]:
    """The limits in force on that day for cards of a brand; those of `*` when the network has none of its own."""
    rows = [row for row in limits if date.fromisoformat(row["from"]) <= on]
    mine = [row for row in rows if row["network"] == brand] or [row for row in rows if row["network"] == "*"]
    newest: dict[int, Mapping[str, Any]] = {}
    for row in sorted(mine, key=lambda row: str(row["from"])):
        newest[int(row["days"])] = row
    return tuple(RetryLimit(brand, int(row["attempts"]), days) for days, row in sorted(newest.items()))


# --- what may be stored ---------------------------------------------------------------------------------------------


_CHOICES = {
    "card_at_checkout": ("save", "authorise"),
    "charge_on": ("confirmed", "packed", "shipped"),
    "lots_by": ("fefo", "fifo"),
}


def check_settings(values: Mapping[str, Any]) -> None:
    """Raises ValueError, naming the field, for a choice that there is not, or declines that make no sense."""
    for name, value in values.items():
        known = _CHOICES.get(name)
        if known is not None and value not in known:
            raise ValueError(f"{name}: one of {', '.join(known)}")
        check = _CHECKS.get(name)
        if check is not None:
            check(name, value)


def _whole(name: str, value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name}: a whole number from {least} to {most}")
    return value


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name}: a list")
    return list(value)


def _check_hours(name: str, value: Any) -> None:
    given = [_whole(f"{name}.{i}", hours, 1, MOST_HOURS) for i, hours in enumerate(_list(name, value))]
    if given != sorted(set(given)):
        raise ValueError(f"{name}: hours after the first decline, each more than the one before")


def _check_reminders(name: str, value: Any) -> None:
    for i, days in enumerate(_list(name, value)):
        if _whole(f"{name}.{i}", days, -MOST_DAYS, MOST_DAYS) == 0:
            raise ValueError(f"{name}.{i}: days after the decline, or with a minus before the goods are let go; not 0")


def _row(name: str, row: Any, fields: set[str]) -> Mapping[str, Any]:
    if not isinstance(row, Mapping) or set(row) != fields:
        raise ValueError(f"{name}: wants exactly {', '.join(sorted(fields))}")
    try:
        date.fromisoformat(row["from"])
    except (TypeError, ValueError):
        raise ValueError(f"{name}.from: a date such as 2026-11-24") from None
    if not isinstance(row["source"], str) or not row["source"].strip():
        raise ValueError(f"{name}.source: say where this was read")
    return row


def _check_classes(name: str, value: Any) -> None:
    for i, given in enumerate(_list(name, value)):
        row = _row(f"{name}.{i}", given, {"from", "class", "codes", "source"})
        if row["class"] not in CLASSES:
            raise ValueError(f"{name}.{i}.class: one of {', '.join(CLASSES)}")
        codes = _list(f"{name}.{i}.codes", row["codes"])
        if not codes or not all(isinstance(code, str) and code for code in codes):
            raise ValueError(f"{name}.{i}.codes: the processor's decline codes")


def _check_limits(name: str, value: Any) -> None:
    rows = _list(name, value)
    for i, given in enumerate(rows):
        row = _row(f"{name}.{i}", given, {"from", "network", "attempts", "days", "source"})
        if row["network"] not in NETWORKS:
            raise ValueError(f"{name}.{i}.network: one of {', '.join(NETWORKS)}")
        _whole(f"{name}.{i}.attempts", row["attempts"], 1, MOST_TRIES)
        _whole(f"{name}.{i}.days", row["days"], 1, MOST_DAYS)
    if not any(row["network"] == "*" for row in rows):
        raise ValueError(f"{name}: say with the network * what holds for cards of any other network")


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    "decline_classes": _check_classes,
    "retry_limits": _check_limits,
    "retry_after_hours": _check_hours,
    "undo_seconds": lambda name, value: _whole(name, value, 0, 120),
    "cannot_ship_days": lambda name, value: _whole(name, value, 1, 30),
    "grace_days": lambda name, value: _whole(name, value, 0, MOST_DAYS),
    "reminder_days": _check_reminders,
    "reminder_hour": lambda name, value: _whole(name, value, 0, 23),
}

"""How the customer agreed to a change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from counterfoil.core.errors import Invalid
from counterfoil.core.text import clean

HOW = ("telephone", "mail", "in_person", "not_needed")


def read_consent(given: Mapping[str, Any] | None, *, now: datetime) -> dict[str, Any]:
    """`{how, who?, at?, note?}` as it is kept: who agreed, when and by which way. Raises Invalid.

    `not_needed` is for what costs the customer nothing and leaves the goods as they are; who amends sees to that.
    """
    wrong: list[tuple[str, str]] = []
    raw = given or {}
    how = raw.get("how")
    if how not in HOW:
        wrong.append(("consent.how", f"say how the customer agreed: one of {', '.join(HOW)}"))
    texts = {}
    for name, most in (("who", 200), ("note", 500)):
        try:
            texts[name] = clean(str(raw.get(name) or ""))
        except ValueError as error:
            wrong.append((f"consent.{name}", str(error)))
            continue
        if len(texts[name]) > most:
            wrong.append((f"consent.{name}", f"at most {most} characters"))
    if how in {"telephone", "mail", "in_person"} and not texts.get("who", "-"):
        wrong.append(("consent.who", "say who agreed"))
    at = raw.get("at")
    if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
        wrong.append(("consent.at", "give the time with its zone"))
    elif isinstance(at, datetime) and at > now:
        wrong.append(("consent.at", "lies in the future"))
    if wrong:
        raise Invalid(*wrong)
    moment = at if isinstance(at, datetime) else now
    return {"how": how, "who": texts["who"], "note": texts["note"], "at": moment.isoformat()}


def in_words(consent: Mapping[str, Any]) -> str:
    """telephone, June Harper"""
    how = {"telephone": "on the telephone", "mail": "by mail", "in_person": "in person", "link": "by the link"}
    said = how.get(str(consent.get("how")), "")
    who = str(consent.get("who") or "")
    return f"agreed {said}{f' by {who}' if who else ''}" if said else "no consent needed"

"""The shop's own words in its mails: subject, opening and closing, with a few placeholders. The facts stay ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from counterfoil.core.shop import shop

PARTS = {"subject": 150, "opening": 2000, "closing": 2000}  # and how many characters each may have
# placeholder -> (what stands in its place, the member of a mail's context)
EVERYWHERE = {
    "name": ("the customer's name", "name"),
    "number": ("the order's number", "number"),
    "total": ("the order's total", "total"),
    "shop": ("the shop's name", "shop"),
}
MORE: dict[str, dict[str, tuple[str, str]]] = {
    "promised": {"ship_date": ("the day on which it ships", "date")},
    "shipped": {
        "carrier": ("who brings it", "carrier"),
        "tracking_number": ("the tracking number", "tracking_number"),
    },
    "pay_reminder": {"kept_until": ("until when the goods are kept", "kept_until")},
    "question": {"until": ("until when they can answer", "until")},
    "refunded": {"amount": ("what goes back", "amount")},
}
# Mails to customers, in the order of the process; those to suppliers and staff have no words of the shop's own.
KINDS = (
    "confirmation", "promised", "new_link", "shipped", "question", "question_withdrawn", "delay", "delay_over",
    "amended", "changed", "pay_link", "pay_reminder", "let_go", "cancelled", "refunded",
)  # fmt: skip
_PLACE = re.compile(r"\{([^{}]*)\}")


def placeholders(kind: str) -> dict[str, tuple[str, str]]:
    """What may stand in braces in a mail of this kind."""
    return EVERYWHERE | MORE.get(kind, {})


def check_words(kind: str, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with a shop's words for a kind of mail: (part, why); empty when nothing is."""
    known = placeholders(kind)
    wrong = []
    for part, most in PARTS.items():
        text = words.get(part, "")
        unknown = [name for name in _PLACE.findall(text) if name not in known]
        left = _PLACE.sub("", text)
        if len(text) > most:
            wrong.append((part, f"at most {most:,} characters"))
        elif unknown:
            offered = ", ".join(f"{{{name}}}" for name in known)
            wrong.append((part, f"{{{unknown[0]}}} stands for nothing here; there are {offered}"))
        elif "{" in left or "}" in left:
            wrong.append((part, "a brace stands alone; placeholders are written {name}"))
        elif part == "subject" and "\n" in text:
            wrong.append((part, "a subject is one line"))
    return wrong


def fill(kind: str, text: str, context: Mapping[str, Any]) -> str:
    """The text with its placeholders filled in; what cannot be is left out, for a mail must go."""
    known = placeholders(kind)

    def one(found: re.Match[str]) -> str:
        return str(context.get(known[found[1]][1]) or "") if found[1] in known else ""

    return _PLACE.sub(one, text)


def dressed(kind: str, context: Mapping[str, Any], words: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A mail's context with the shop's words in it: `opening` and `closing` as paragraphs, and its subject."""
    own = words if words is not None else shop().mail_words.get(kind, {})
    out = dict(context)
    if kind not in KINDS or not any(own.values()):
        return out
    filled = {part: fill(kind, own.get(part, ""), context).strip() for part in PARTS}
    # Of a mail that asks for something, the subject says so.
    if filled["subject"] and not context.get("asks_card"):
        out["subject"] = filled["subject"]
    for part in ("opening", "closing"):
        out[part] = [p.strip() for p in re.split(r"\n\s*\n", filled[part]) if p.strip()]
    return out


def headed(context: Mapping[str, Any]) -> dict[str, Any]:
    """A mail's context with the logo that the shop has now, if it has one; its address shows that one for ever."""
    logo = shop().logo
    return {**context, **({"logo": {**logo, "url": f"{settings.BASE_URL}/logo/{logo['name']}.png"}} if logo else {})}


def with_words(body: str, context: Mapping[str, Any]) -> str:
    """A plain mail with the shop's opening after the greeting and its closing before the shop's name.

    What follows the greeting begins with a capital, and no two empty lines stand together, whatever the template left.
    """
    opening = "\n\n".join(context.get("opening") or [])
    closing = "\n\n".join(context.get("closing") or [])
    body = re.sub(r"\n{3,}", "\n\n", body)
    greeting, gap, rest = body.partition("\n\n")
    if greeting.endswith(","):
        body = f"{greeting}{gap}{rest[:1].upper()}{rest[1:]}"
    if opening:
        greeting, gap, rest = body.partition("\n\n")
        body = f"{greeting}{gap}{opening}\n\n{rest}"
    if closing:
        head, name, tail = body.rstrip("\n").rpartition(f"\n{context['shop']}")
        body = f"{head.rstrip()}\n\n{closing}\n{name}{tail}\n" if name else f"{body.rstrip()}\n\n{closing}\n"
    return body

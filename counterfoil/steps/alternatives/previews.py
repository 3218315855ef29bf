"""The consequence of each choice before anybody is asked: the same checks and arithmetic as the question itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from counterfoil.core.errors import Invalid, Refused
from counterfoil.records.orders.load import find
from counterfoil.steps.alternatives.actions import kept_words, price_words
from counterfoil.steps.alternatives.choices import complete
from counterfoil.steps.alternatives.kinds import say_day
from counterfoil.steps.alternatives.queries import named_skus, read_order, read_terms


@dataclass(frozen=True)
class Consequence:
    """What the customer would read of a choice, or why it cannot be offered (`wrong`, and by field `errors`)."""

    text: str = ""
    price: str = ""
    kept: str = ""
    day: str = ""
    wrong: str = ""
    errors: tuple[tuple[str, str], ...] = ()


def consequences(order: str, choices: Sequence[Mapping[str, Any]]) -> list[Consequence]:
    """Each choice by itself: one that is wrong does not hide the others. Nothing is written."""
    known = find(order)
    state, terms = read_order(known), read_terms(known, named_skus(choices))
    found = []
    for choice in choices:
        try:
            (made,) = complete([choice], state, terms)
        except Invalid as error:
            told = tuple((field.removeprefix("choices.0."), words) for field, words in error.errors)
            found.append(Consequence(wrong="; ".join(words for _, words in told), errors=told))
            continue
        except Refused as error:
            found.append(Consequence(wrong=str(error).replace("choices.0: ", "")))
            continue
        free = {offer.id: offer.free for offer in terms.offers.values()}
        day = made.get("date")  # as it is kept: 2026-12-04
        found.append(
            Consequence(
                text=made["text"],
                price=price_words(made["difference"], made["total"], known.currency),
                kept=kept_words(made, free),
                day=say_day(date.fromisoformat(str(day))) if day else "",
            )
        )
    return found

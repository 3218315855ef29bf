"""Misbehaviour by seed: what befalls the nth call of each sort follows from the seed alone, whoever else is calling."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import Json, refused_parameter

FIELDS = {"seed", "rate", "kinds", "seconds", "path", "method"}
LONGEST_OUTAGE = 8  # events


def share(*of: object) -> float:
    """A number from 0 up to 1 that follows from its arguments."""
    digest = hashlib.sha256("/".join(map(str, of)).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass
class Chance:
    """One order to misbehave. `rate`: the share of calls (and of events) that are struck; `seconds`: the longest wait.

    Every sort of call (method and path without its ids) has a sequence of its own, and so have the events.
    """

    seed: str
    rate: float
    kinds: tuple[str, ...]
    seconds: float
    path: str | None
    method: str
    told: Counter[str] = field(default_factory=Counter)

    def next(self, sort: str, among: Sequence[str]) -> tuple[str, float] | None:
        """What befalls the next one of this sort, of the kinds that it knows: the kind, and seconds. None: nothing."""
        nth = self.told[sort]
        self.told[sort] += 1
        return self.at(sort, nth, among)

    def at(self, sort: str, nth: int, among: Sequence[str]) -> tuple[str, float] | None:
        """The same for the nth one (from 0); an outage of the webhooks that began before it goes on."""
        if "webhooks_off" in among:
            for back in range(1, min(nth, LONGEST_OUTAGE) + 1):
                if self._drawn(sort, nth - back, among) == "webhooks_off" and back < self._length(sort, nth - back):
                    return "webhooks_off", 0.0
        kind = self._drawn(sort, nth, among)
        return (kind, round(self.seconds * share(self.seed, sort, nth, "wait"), 3)) if kind else None

    def _drawn(self, sort: str, nth: int, among: Sequence[str]) -> str | None:
        known = [kind for kind in self.kinds if kind in among]
        if not known or share(self.seed, sort, nth, "struck") >= self.rate:
            return None
        return known[int(share(self.seed, sort, nth, "kind") * len(known))]

    def _length(self, sort: str, nth: int) -> int:
        """How many events an outage swallows."""
        return 1 + int(share(self.seed, sort, nth, "outage") * LONGEST_OUTAGE)

    def shown(self) -> Json:
        """As `GET /_faults` shows it."""
        return {"seed": self.seed, "rate": self.rate, "kinds": list(self.kinds), "seconds": self.seconds,
                "path": self.path, "method": self.method, "told": dict(self.told)}  # fmt: skip


def ordered(order: Mapping[str, Any], known: Sequence[str], usual: Sequence[str]) -> Chance:
    """The order that was given, with the `usual` kinds if it names none; raises `ApiError` 400 if it makes no sense."""
    unknown = set(order) - FIELDS
    if unknown:
        raise refused_parameter(f"Unknown field: {min(unknown)}", min(unknown))
    seed = order["seed"]
    if isinstance(seed, bool) or not isinstance(seed, int | str):
        raise refused_parameter("seed is a whole number or text", "seed")
    rate, seconds = order.get("rate", 0.1), order.get("seconds", 2.0)
    for name, value, most in (("rate", rate, 1), ("seconds", seconds, 86_400)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
            raise refused_parameter(f"{name} is a number from 0 to {most}", name)
    kinds = order.get("kinds", list(usual))
    if not isinstance(kinds, list) or not kinds or not all(kind in known for kind in kinds):
        raise refused_parameter(f"kinds is a list out of {', '.join(known)}", "kinds")
    path, method = order.get("path"), order.get("method", "*")
    if not isinstance(path, str | None) or not isinstance(method, str):
        raise refused_parameter("path and method are text", "path")
    return Chance(str(seed), float(rate), tuple(sorted(set(kinds))), float(seconds), path, method.upper())

"""What we ask of a carrier: where a parcel can be followed, and whether a number could be one of theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Carrier:
    """One carrier as a shop knows it.

    `aliases` are other names that people type, in lower case without spaces or punctuation. `page` is the address of
    the public tracking page with `{number}` where the URL-encoded number goes. `owns` says whether a number (upper
    case, without spaces and dashes) has this carrier's form and check digit; None where the carrier publishes no form
    that tells its numbers from everybody's.
    """

    name: str
    page: str
    aliases: tuple[str, ...] = ()
    owns: Callable[[str], bool] | None = None

"""What a decline means, in the shop's words: why, what we do next and when, until when the goods are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from counterfoil.core.shop import shop
from counterfoil.desk.saying import near_moment, say_date, units
from counterfoil.records.orders.declines import Tried

_LOST, _FRAUD, _CLOSED = "the card is lost or stolen", "the bank suspects fraud", "the card or its account is closed"
_STOPPED, _FUNDS = "the customer has told their bank to pay us nothing", "no funds today"
_LIMIT, _BUSY = "the card's limit is used up", "the bank could not decide just now"
_CONFIRM, _EXPIRED = "the customer must confirm with the bank", "the card has expired"
_DETAILS, _CALL = "the card's details are not what the bank has", "the customer must call their bank"
# By the processor's code; a code that is not here is said by its class.
_WHY = {
    **dict.fromkeys(("lost_card", "stolen_card", "pickup_card"), _LOST),
    **dict.fromkeys(("fraudulent", "merchant_blacklist", "highest_risk_level"), _FRAUD),
    **dict.fromkeys(("invalid_account", "incorrect_number", "invalid_number"), _CLOSED),
    **dict.fromkeys(
        ("stop_payment_order", "revocation_of_authorization", "revocation_of_all_authorizations"), _STOPPED
    ),
    "insufficient_funds": _FUNDS,
    **dict.fromkeys(("card_velocity_exceeded", "withdrawal_count_limit_exceeded"), _LIMIT),
    **dict.fromkeys(("processing_error", "issuer_not_available", "try_again_later", "reenter_transaction"), _BUSY),
    **dict.fromkeys(("authentication_required", "authentication_not_handled"), _CONFIRM),
    "mobile_device_authentication_required": _CONFIRM,
    **dict.fromkeys(("expired_card", "invalid_expiry_month", "invalid_expiry_year"), _EXPIRED),
    **dict.fromkeys(("incorrect_cvc", "invalid_cvc", "incorrect_zip", "incorrect_address"), _DETAILS),
    "call_issuer": _CALL,
    "processor_refused": "the card processor does not take this charge",
}
_CLASS = {
    "never": "the bank will never accept this card",
    "later": "the bank said no and gave no reason",
    "customer": "the customer must ask their bank",
    "ours": "the charge was not accepted",
}


class Standing(Protocol):
    """What is asked of a part, or of a line of a list that carries its part's facts."""

    @property
    def decline_class(self) -> str: ...
    @property
    def retry_at(self) -> datetime | None: ...
    @property
    def grace_until(self) -> datetime | None: ...
    @property
    def let_go_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Declined:
    """`why` with what we do next; `tries` so far; `kept`: what becomes of the goods; `short` for a pill."""

    why: str
    tries: str
    kept: str
    short: str
    kind: str
    glyph: str

    @property
    def sentence(self) -> str:
        return f"{self.why[0].upper()}{self.why[1:]}"

    @property
    def more(self) -> str:
        return " · ".join(said for said in (self.tries, self.kept) if said)


def declined_of(part: Standing, tried: Tried | None) -> Declined | None:
    """The words for what stands of a part's decline; None when nothing does."""
    if not part.decline_class:
        return None
    why = _WHY.get(tried.code if tried else "", _CLASS[part.decline_class])
    tries = f"{units(tried.attempts, 'try', 'tries')} so far" if tried else ""
    following, short, kind, mark = _next(part)
    return Declined(f"{why}{following}", tries, _kept(part), short, kind, mark)


def _next(part: Standing) -> tuple[str, str, str, str]:
    """What follows, in words, in a pill, its colour and glyph."""
    if part.let_go_at is not None:
        return "; a card brings the order back", "goods let go", "", "↩"
    if part.decline_class == "never":
        return ": ask for another", "ask for another card", "bad", "✕"
    if part.decline_class == "ours":
        return ": to be mended here", "ours to mend", "bad", "✕"
    if part.decline_class == "customer":
        return "", "the customer must act", "bad", "✕"
    if part.retry_at is not None:
        when = near_moment(part.retry_at)
        return f": we try again {when}", f"again {when}", "warn", "◔"
    return "; we try no more by ourselves", "tried in vain", "bad", "✕"


def _kept(part: Standing) -> str:
    if part.let_go_at is not None:
        return f"goods let go {say_date(shop().day_of(part.let_go_at))}"
    return f"goods kept until {say_date(shop().day_of(part.grace_until))}" if part.grace_until else ""


def first_declined(parts: Iterable[tuple[int, Standing]], tried: Mapping[int, Tried]) -> Declined | None:
    """Of several parts (by id) the first on which a decline stands."""
    found = (declined_of(part, tried.get(pk)) for pk, part in parts)
    return next((said for said in found if said is not None), None)

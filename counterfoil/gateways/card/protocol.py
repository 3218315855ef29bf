"""What charging needs of a card processor, in its own words. Amounts in minor units; keys are stored by the caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol


class CardError(Exception):
    """What went wrong at the processor."""


class Refusal(CardError):
    """The bank said no. `code` is its decline code; nothing was taken."""

    def __init__(self, code: str, message: str, intent_id: str = "") -> None:
        self.code, self.message, self.intent_id = code, message, intent_id
        super().__init__(f"{code}: {message}")


class NotDone(CardError):
    """Provably nothing happened (no connection, too many requests): may be tried again under the same key.

    `seconds`: when that makes sense, where it is known (0: it is not); until then no call leaves the house.
    """

    def __init__(self, message: str, *, seconds: float = 0.0) -> None:
        self.seconds = seconds
        super().__init__(message)


class OutcomeUnknown(CardError):
    """The call was cut off after it may have been done: ask, never repeat blindly.

    `replayed`: the processor repeats an error that it has stored under this key, and will go on repeating it. Once a
    look at the object proves that nothing happened, and only then, the work needs a new key.
    """

    def __init__(self, message: str, *, replayed: bool = False) -> None:
        self.replayed = replayed
        super().__init__(message)


class Wrong(CardError):
    """The processor does not accept the request at all: ours to mend, repeating does not help."""


@dataclass(frozen=True)
class Saved:
    """A card kept at the processor for later charges."""

    method_id: str
    brand: str
    last4: str


@dataclass(frozen=True)
class Intent:
    """A charge at the processor. `status`: waiting (unconfirmed), working, done, refused, action, held, cancelled.

    While `held`, `held` minor units may be captured until `expires_at`, the processor's own word.
    """

    id: str
    status: str
    amount: int
    captured: int
    currency: str
    charge_id: str = ""
    brand: str = ""
    last4: str = ""
    decline_code: str = ""
    message: str = ""
    method_id: str = ""
    customer_id: str = ""
    reference: Mapping[str, str] = field(default_factory=dict)  # what we wrote on it
    held: int = 0
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Session:
    """A hosted page. `status`: open, complete or expired."""

    id: str
    status: str
    url: str
    expires_at: datetime | None
    intent_id: str = ""
    saved: Saved | None = None
    reference: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Returned:
    """A refund at the processor. `status`: pending, succeeded or failed."""

    id: str
    status: str
    amount: int
    failure: str = ""
    intent_id: str = ""
    currency: str = ""
    reference: Mapping[str, str] = field(default_factory=dict)  # what we wrote on it


@dataclass(frozen=True)
class Movement:
    """A line of the shop's balance at the processor: `amount` less `fee` is `net`, all negative when money leaves.

    `kind`: charge, refund, refund_failed, dispute, dispute_reversed, payout, payout_failed, fee (of no charge), other.
    `source_id` is the object that it comes from, `intent_id` the charge behind it, if there is one.
    """

    id: str
    kind: str
    source_id: str
    amount: int
    fee: int
    net: int
    currency: str
    made_at: datetime
    available_on: datetime
    intent_id: str = ""
    text: str = ""


@dataclass(frozen=True)
class Disputed:
    """A customer went to their bank. `status`: open (wants an answer), answered, won, lost, closed (came to nothing).

    With `inquiry` the bank only asks; else it has taken `amount` back until it decides.
    """

    id: str
    status: str
    inquiry: bool
    intent_id: str
    charge_id: str
    amount: int
    currency: str
    reason: str  # the processor's code
    opened_at: datetime
    due_by: datetime | None
    movements: tuple[Movement, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What we tell the bank about a disputed charge. Texts of ours; dates and addresses as people write them."""

    customer_name: str
    customer_email: str
    billing_address: str
    shipping_address: str
    product_description: str
    shipping_carrier: str
    shipping_date: str
    tracking_number: str
    text: str  # everything else, in plain words


@dataclass(frozen=True)
class PaidOut:
    """Money on its way from the processor to the shop's bank. `status`: under_way, paid, failed, cancelled."""

    id: str
    status: str
    amount: int
    currency: str
    arrives_on: date
    made_at: datetime
    failure: str = ""


class Till(Protocol):
    """What takes money and gives it back: a card processor, or a clerk who writes down what they hold.

    A charge is two calls, so that its id is stored before money counts. Every method that changes something takes the
    caller's stored key: the same call under it changes nothing more, another one is Wrong. A processor may raise
    NotDone and OutcomeUnknown too.
    """

    def create_intent(
        self,
        *,
        amount: int,
        currency: str,
        customer: str,
        method: str,
        reference: Mapping[str, str],
        key: str,
        hold: bool = False,
    ) -> Intent:
        """An unconfirmed charge: takes nothing yet. With `hold`, confirming it only has the bank hold the amount: Wrong
        where there is no bank behind it."""
        ...

    def confirm_intent(self, intent_id: str, *, key: str) -> Intent:
        """Take the money now, or hold it. Raises Refusal."""
        ...

    def get_intent(self, intent_id: str) -> Intent: ...

    def cancel_intent(self, intent_id: str, *, key: str) -> Intent: ...

    def refund(self, *, intent_id: str, amount: int, reference: Mapping[str, str], key: str) -> Returned: ...

    def find_refund(self, *, intent_id: str, reference: Mapping[str, str]) -> Returned | None:
        """The refund of this intent that carries our reference; None when there is none."""
        ...

    def get_refund(self, refund_id: str) -> Returned: ...

    def list_intents(self, since: datetime) -> Iterator[Intent]:
        """Every charge made at the processor since then (business time), newest first, page after page."""
        ...

    def list_refunds(self, since: datetime) -> Iterator[Returned]:
        """Every refund made at the processor since then (business time), whoever made it, newest first."""
        ...


class CardGateway(Till, Protocol):
    """A till with a bank behind it: it keeps cards, has amounts held, shows pages to customers and tells us of events.

    Every method may raise NotDone, OutcomeUnknown or Wrong.
    """

    def create_customer(self, *, name: str, email: str, reference: str, key: str) -> str: ...

    def save_card(self, *, customer: str, source: str, reference: str, key: str) -> Saved:
        """Raises Refusal when the bank does not want the card saved."""
        ...

    def capture_intent(self, intent_id: str, *, amount: int, key: str) -> Intent:
        """Take `amount` of what is held, once; the rest is let go. Wrong when nothing (or less) is held any more."""
        ...

    def list_disputes(self, since: datetime) -> Iterator[Disputed]:
        """Every dispute that began since then (business time), newest first."""
        ...

    def get_dispute(self, dispute_id: str) -> Disputed: ...

    def answer_dispute(self, dispute_id: str, evidence: Evidence, *, key: str) -> Disputed:
        """Hand the evidence to the bank, once and for good. Wrong when it was handed in or decided already."""
        ...

    def accept_dispute(self, dispute_id: str, *, key: str) -> Disputed:
        """Give in: a chargeback is lost, an inquiry closed. Wrong when it is decided already."""
        ...

    def list_movements(self, since: datetime) -> Iterator[Movement]:
        """Every line of the balance made since then (business time), newest first."""
        ...

    def movements_of_payout(self, payout_id: str) -> Iterator[Movement]:
        """The lines that a payout consists of, its own included."""
        ...

    def list_payouts(self, since: datetime) -> Iterator[PaidOut]:
        """Every payout made since then (business time), newest first."""
        ...

    def get_payout(self, payout_id: str) -> PaidOut: ...

    def open_session(
        self,
        *,
        mode: str,
        customer: str,
        amount: int,
        currency: str,
        title: str,
        success_url: str,
        cancel_url: str,
        reference: Mapping[str, str],
        key: str,
    ) -> Session: ...

    def get_session(self, session_id: str) -> Session: ...

    def expire_session(self, session_id: str, *, key: str) -> Session: ...

    def read_event(self, body: bytes, signature: str) -> dict[str, Any]:
        """A verified event. Raises ValueError when the signature does not fit."""
        ...

"""What the gates and the map are told of an order: plain frozen values, no database behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from counterfoil.core.retries import RetryLimit


def in_words(day: date) -> str:
    """Tue 24 Nov 2026: a day in the reason why a gate is shut, which people read at the desk and over the API."""
    return f"{day:%a} {day.day} {day:%b %Y}"


@dataclass(frozen=True)
class LineFacts:
    """Units of one line and where they are; see the model for the meaning of each."""

    id: int
    sku: str
    name: str
    quantity: int
    reserved: int = 0
    due: int = 0
    due_confirmed: int = 0
    due_date: date | None = None
    picked: int = 0
    packed: int = 0
    shipped: int = 0
    returned: int = 0

    @property
    def open_units(self) -> int:
        return self.quantity - self.reserved - self.picked - self.shipped

    @property
    def short(self) -> int:
        return self.open_units - self.due


@dataclass(frozen=True)
class PartFacts:
    """One part: its four axes, its money in minor units, its promise."""

    number: int = 1
    stock: str = "unchecked"
    money: str = "unpaid"
    parcel: str = "waiting"
    books: str = "none"
    total: int = 0
    charged: int = 0
    refund_owed: int = 0
    refunded: int = 0
    given_back: int = 0  # of what went back: by which more had been paid than the part costs
    promise_date: date | None = None
    promised_on: date | None = None  # when that date was given
    arrives: date | None = None  # when the customer has it then; known where they need it by a day
    agreed: bool = False  # the customer said yes to that very date
    legal_deadline: date | None = None
    promise_version: int = 0
    clock_over: bool = False  # that deadline was over before the order came here
    authorised: int = 0  # what the bank holds for us, minor units
    authorisation_expires_at: datetime | None = None
    authorisation_warned: bool = False
    page_open: bool = False  # its customer may be paying at a hosted page at this moment
    decline_class: str = ""  # never, later, customer, ours
    retry_at: datetime | None = None  # when the same card is asked again by itself
    remind_at: datetime | None = None  # when the customer is reminded next
    grace_until: datetime | None = None  # until when a declined part keeps its stock
    let_go: bool = False  # that time is over and the stock is back on the shelf
    cover_lost: bool = False  # charged, and noted as without goods
    cover_asked: bool = False  # its customer has been asked about that
    cover_refund_on: date | None = None  # the last day for their answer; then all of it is refunded
    waits_until: date | None = None  # the day until which they agreed to wait
    charged_by: str = ""
    picked_by: str = ""
    packed_by: str = ""
    lines: tuple[LineFacts, ...] = ()

    @property
    def paid(self) -> int:
        """What has been paid towards the total: a gift of the shop's later on takes nothing off."""
        return self.charged - self.given_back

    @property
    def live(self) -> bool:
        """Whether anything of it is still wanted."""
        return any(line.quantity for line in self.lines)


@dataclass(frozen=True)
class HoldFacts:
    id: int
    reason: str
    by: str
    kind: str = ""


@dataclass(frozen=True)
class NoticeFacts:
    """A customer has been told that a part's promise will not be kept, and how it ends is open."""

    part: int
    version: int  # of the promise that it is about
    offered: date | None = None  # None: nobody knows
    answer_by: date = date.max
    consents: bool = False  # whether no answer is a yes
    open: bool = True  # the question can still be answered
    declined: bool = False  # none of what was offered is what they want
    answered: bool = False  # they chose, and it is being worked in


@dataclass(frozen=True)
class DisputeFacts:
    """A customer went to their bank about a part's charge, and the bank has not given in to us."""

    part: int
    state: str  # open (wants an answer), answered, lost
    inquiry: bool  # the bank only asks
    answered: bool = False  # it has our answer
    due_on: date | None = None  # the shop's day by which it wants one

    @property
    def wants_answer(self) -> bool:
        return self.state == "open" and not self.answered

    @property
    def has_the_money(self) -> bool:
        """Whether the money is not here: with the bank until it decides, or lost."""
        return not self.inquiry


@dataclass(frozen=True)
class OrderFacts:
    """Everything that decides what may happen to an order next."""

    number: str = ""
    review: str = "pending"
    finished: bool = True
    cancelled: bool = False
    closed_history: bool = False
    payment_method: str = "card"
    card_state: str = "none"
    card_consent: bool = False
    # Known only while a decline stands: when banks declined this very card, and how often they may be asked.
    card_declines: tuple[datetime, ...] = ()
    retry_limits: tuple[RetryLimit, ...] = ()
    approved_by: str = ""
    placed_on: date = date.min
    placed_at: datetime | None = None
    needed_by: date | None = None
    told: date | None = None  # the latest late day that the customer has answered on the telephone ...
    told_accepted: bool = False  # ... and whether they said yes to it
    # Of what there is to call about now, the open question or the late day: when we ring again, and how often nobody
    # answered in a row.
    call_back_at: datetime | None = None
    calls_missed: int = 0
    prefers_phone: bool = False  # known while a question is open
    holds: tuple[HoldFacts, ...] = ()
    question_open: bool = False
    question_expires_at: datetime | None = None
    question_moot: str = ""  # why the open question has lost its reason; empty: it stands
    answer_unapplied: bool = False
    refund_failed: bool = False
    bank_differs: bool = False  # the card processor has something otherwise than we do
    disputes: tuple[DisputeFacts, ...] = ()  # undecided or lost
    notices: tuple[NoticeFacts, ...] = ()  # open ones
    parts: tuple[PartFacts, ...] = field(default_factory=tuple)
    # The shop's day and settings that gates read.
    now: datetime | None = None
    today: date = date.min
    day_ends_at: datetime | None = None  # the shop's midnight
    zone: str = "UTC"  # where the shop stands
    notice_days: int = 5  # how long before a date its customer is asked, where the goods are not here
    horizon: date = date.min  # confirmed goods due until then count as good as here
    charge_on: str = "confirmed"  # confirmed, packed, shipped
    card_at_checkout: str = "save"  # save, authorise
    warning_days: int = 2  # that the desk is told before an authorisation ends
    sales_order_by_hand: bool = False
    stock_check_by_hand: bool = False

    @property
    def misses(self) -> date | None:
        """The day on which the customer has what has not left yet, where they need it earlier.

        None: it comes in time, or they have said yes to its date.
        """
        if self.needed_by is None:
            return None
        open_ = [p for p in self.parts if p.live and p.parcel not in {"shipped", "delivered", "returned"}]
        latest = max((p.arrives or p.promise_date for p in open_ if p.promise_date and not p.agreed), default=None)
        return latest if latest is not None and latest > self.needed_by else None

    @property
    def offline(self) -> bool:
        """Paid outside the card processor."""
        return self.payment_method != "card"

    def notice_of(self, part: PartFacts) -> NoticeFacts | None:
        """What the part's customer has been told and has not answered yet."""
        return next((n for n in self.notices if n.part == part.number), None)

    def charged_back(self, part: PartFacts) -> DisputeFacts | None:
        """The dispute for which the part's money is not here, if there is one; a lost one comes first."""
        found = [d for d in self.disputes if d.part == part.number and d.has_the_money]
        return min(found, key=lambda d: d.state != "lost", default=None)

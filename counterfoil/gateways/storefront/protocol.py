"""What a storefront's reader hands on: plain frozen values, amounts in minor units, texts cleaned and cards masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

MAX_QUANTITY = 100_000  # of a line
MAX_LINES = 500  # of an order

# Where an order stood when it was handed over.
PENDING, PROCESSING, DELIVERED = "Pending", "Processing", "Delivered"
STATUSES = (PENDING, PROCESSING, DELIVERED)


class BadLine(ValueError):
    """A line of a feed that cannot be taken; the message is the reason, for a person, without card numbers."""


@dataclass(frozen=True, slots=True)
class FeedAddress:
    """`country` is an ISO 3166-1 code when `country_known`, else the text as it came."""

    name: str
    street: str
    city: str
    postcode: str
    state: str
    country: str
    country_known: bool

    def as_json(self) -> dict[str, str]:
        """As an order keeps it."""
        return {
            "name": self.name, "street": self.street, "city": self.city, "postcode": self.postcode,
            "state": self.state, "country": self.country,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One product of an order. `unit_price`: what it was sold for, minor units, before tax; `tax_ppm`: millionths."""

    sku: str
    name: str
    quantity: int
    unit_price: int
    tax_ppm: int


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """A row of the order's history; `at` in UTC, `notified`: the customer was told."""

    at: datetime
    status: str
    notified: bool
    comment: str


@dataclass(frozen=True, slots=True)
class FeedOrder:
    """One order as the other shop knew it. `total` is what the customer agreed to; its parts may miss it.

    `payment_method` is one of ours; `flags` are (code, text) for whoever reviews the order.
    """

    channel: str
    reference: str
    placed_at: datetime
    currency: str
    name: str
    email: str
    phone: str
    shipping_address: FeedAddress
    billing_address: FeedAddress
    lines: tuple[FeedLine, ...]
    shipping_method: str
    shipping_price: int
    tax: int
    total: int | None
    payment_method: str
    status: str
    history: tuple[FeedEvent, ...]
    flags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FeedProduct:
    """One product. `price` in minor units of the currency it was read in; `quantity` units on the shelf.

    `producer` and `wine` name its family, if the file has them; vintages of one wine share it. The buyer of what is
    `age_restricted` declares their age.
    """

    sku: str
    name: str
    price: int
    quantity: int
    weight_g: int
    producer: str = ""
    wine: str = ""
    vintage: int | None = None
    size: str = ""
    region: str = ""
    grape: str = ""
    barcode: str = ""
    description: str = ""
    tax_class: str = "standard"
    age_restricted: bool = False


OrderReader = Callable[[str], FeedOrder]
"""Text of one line -> the order. Raises BadLine."""

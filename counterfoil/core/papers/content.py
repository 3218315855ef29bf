"""What each paper is made of.

Everything is a string ready to be read by a person (amounts with their currency sign, dates in the shop's words),
except `issued_at`, quantities and package numbers. These TypedDicts are the schema: `check.py` reads them, refuses
content that does not fit and drops keys that a paper does not know, so that a packing slip cannot show a price, nor a
receipt an expiry. An optional key may also be None.

No `from __future__ import annotations` here: it would hide NotRequired at run time.
"""

from typing import Annotated, Literal, NotRequired, TypedDict

Kind = Literal[
    "web-order",
    "sales-order",
    "sales-order-copy",
    "card-receipt",
    "pick-list",
    "packing-slip",
    "invoice",
    "credit-note",
    "purchase-order",
    "evidence",
    "count-sheet",
    "day-sheet",
]
Paper = Literal["a4", "letter"]

Prose = Annotated[str, "line breaks kept"]
"""A text of several lines, such as a gift note. In every other string a line break becomes a space."""

Moment = Annotated[str, "ISO 8601 date-time with offset"]
"""Such as "2026-11-23T16:05:00Z"; becomes the PDF's creation date."""

LastFour = Annotated[str, "four digits"]
"""All of a card number that may be on paper."""

BarCode = Annotated[str, "1-24 printable ASCII characters"]
"""A number that is also printed as a Code 128 bar code."""


Picture = Annotated[str, "the name of a logo"]
"""What the bytes that are handed to `render` were kept under."""


class Shop(TypedDict):
    """Who issues the paper; a logo stands in place of the name at its head."""

    name: str
    logo: NotRequired[Picture]
    address_lines: list[str]
    tax_number: NotRequired[str]
    email: NotRequired[str]
    phone: NotRequired[str]


class Party(TypedDict):
    """A name and an address, one string per printed line."""

    name: str
    lines: list[str]
    email: NotRequired[str]
    phone: NotRequired[str]


class Item(TypedDict):
    """A line without money, as picker and packer see it."""

    sku: str
    name: str
    quantity: int
    detail: NotRequired[str]
    note: NotRequired[str]


class PickItem(Item):
    """A line to fetch; `bin` may be empty, the lot is what to look for on the shelf."""

    bin: str
    lot: NotRequired[str]


class PricedItem(Item):
    """A line with its money; `tax_rate` such as "20 %", `status` such as "due Tue 24 Nov"."""

    unit_price: str
    amount: str
    tax_rate: NotRequired[str]
    status: NotRequired[str]


class Total(TypedDict):
    """A line under the lines; `strong` for the one that counts."""

    label: str
    amount: str
    strong: NotRequired[bool]


class TaxLine(TypedDict):
    """Tax at one rate: "VAT 20 %", the net sum it is on, the tax."""

    label: str
    base: str
    amount: str


class Card(TypedDict):
    """A card as a receipt may show it."""

    brand: str
    last4: LastFour


class Package(TypedDict):
    """Package `n` of `of`; weight and dimensions in the shop's words."""

    n: int
    of: int
    contents: NotRequired[str]


class Common(TypedDict):
    """On every paper. `number` is the paper's own."""

    shop: Shop
    number: str
    issued_at: Moment
    date_text: str
    message: NotRequired[Prose]


class OrderPaper(Common):
    """A paper that belongs to an order; the bar code is `order_number`."""

    order_number: BarCode
    bill_to: Party
    channel: NotRequired[str]
    terms: NotRequired[str]


class PricedPaper(OrderPaper):
    """A paper with prices; `amount` is what the stub shows, and `currency` the ISO 4217 code."""

    currency: str
    amount: str
    ship_to: Party
    lines: list[PricedItem]
    totals: list[Total]
    tax_lines: NotRequired[list[TaxLine]]
    reference: NotRequired[str]


class WebOrder(PricedPaper):
    """The order as it came in, printed to be reviewed. `to_check`: the holds, one sentence each."""

    delivery_method: NotRequired[str]
    needed_by: NotRequired[str]
    payment_text: NotRequired[str]
    customer_note: NotRequired[Prose]
    gift_note: NotRequired[Prose]
    age_notice: NotRequired[str]
    to_check: NotRequired[list[str]]


class SalesOrder(PricedPaper):
    """Both copies of the sales order."""

    delivery_method: NotRequired[str]
    promise: NotRequired[str]
    payment_text: NotRequired[str]
    gift_note: NotRequired[Prose]
    age_notice: NotRequired[str]


class CardReceipt(OrderPaper):
    """The customer's proof of the charge: brand and last four digits, never more, never an expiry."""

    currency: str
    amount: str
    card: Card
    charged_at_text: str
    reference: str
    for_text: NotRequired[str]
    merchant_text: NotRequired[str]


class PickList(OrderPaper):
    """What to fetch, in the order of walking: the caller sorts the lines."""

    ship_to: Party
    carrier: str
    delivery_method: str
    lines: list[PickItem]
    reference: NotRequired[str]
    promise: NotRequired[str]
    gift_note: NotRequired[Prose]
    age_notice: NotRequired[str]


class PackingSlip(OrderPaper):
    """What is in this package; no prices."""

    ship_to: Party
    delivery_method: str
    package: Package
    lines: list[Item]
    reference: NotRequired[str]
    carrier: NotRequired[str]
    tracking_number: NotRequired[str]
    gift_note: NotRequired[Prose]
    age_notice: NotRequired[str]


class Invoice(PricedPaper):
    """`number` is the invoice's; `shipped_text` the date of supply."""

    sales_order_number: str
    shipped_text: NotRequired[str]
    due_text: NotRequired[str]
    payment_text: NotRequired[str]


class CreditNote(PricedPaper):
    """Corrects one invoice; amounts are what goes back to the customer."""

    invoice_number: str
    reason: Prose
    invoice_date_text: NotRequired[str]
    refund_text: NotRequired[str]


class PurchaseOrder(Common):
    """To a supplier; the bar code is the purchase order's own number. Knows nothing of the customers who wait."""

    number: BarCode
    supplier: Party
    ship_to: Party
    currency: str
    amount: str
    lines: list[PricedItem]
    totals: list[Total]
    reference: NotRequired[str]
    expected: NotRequired[str]
    terms: NotRequired[str]
    delivery_method: NotRequired[str]


class CountItem(TypedDict):
    """Where to count what; `expected` is left out of a sheet that is to be counted blind."""

    bin: str
    sku: str
    name: str
    lot: NotRequired[str]
    detail: NotRequired[str]
    expected: NotRequired[str]


class CountSheet(Common):
    """For who counts the shelf: the bar code is the sheet's own number, `scope` says what is counted."""

    number: BarCode
    scope: str
    lines: list[CountItem]
    made_by: NotRequired[str]


class DayRow(TypedDict):
    """A line of the day: what, how much or how many, and what there is to say about it."""

    what: str
    amount: NotRequired[str]
    note: NotRequired[str]
    tick: NotRequired[bool]


class DaySection(TypedDict):
    """One question of the evening."""

    title: str
    rows: list[DayRow]


class DaySheet(Common):
    """The day's closing: the bar code is the sheet's own number, `scope` the time that it covers."""

    number: BarCode
    scope: str
    closed_by: str
    amount: str
    sections: list[DaySection]


class PackRow(TypedDict):
    """One thing that happened, and when; `text` is what was written then."""

    what: str
    when: NotRequired[str]
    text: NotRequired[Prose]


class PackSection(TypedDict):
    """What there is to show about one question."""

    title: str
    rows: list[PackRow]


class Evidence(PricedPaper):
    """All that a shop has to show a bank about one disputed charge. `statement` is the case in plain words."""

    dispute_text: str
    kind_text: str
    reason_text: str
    opened_text: str
    statement: Prose
    sections: list[PackSection]
    due_text: NotRequired[str]
    card: NotRequired[Card]
    delivery_method: NotRequired[str]


SCHEMAS: dict[Kind, type] = {
    "web-order": WebOrder,
    "sales-order": SalesOrder,
    "sales-order-copy": SalesOrder,
    "card-receipt": CardReceipt,
    "pick-list": PickList,
    "packing-slip": PackingSlip,
    "invoice": Invoice,
    "credit-note": CreditNote,
    "purchase-order": PurchaseOrder,
    "evidence": Evidence,
    "count-sheet": CountSheet,
    "day-sheet": DaySheet,
}

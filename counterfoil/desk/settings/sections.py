"""The sections of the settings: which settings each holds, in which words, with which kind of field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from counterfoil.core.money import DECIMALS
from counterfoil.core.retries import CLASSES, NETWORKS
from counterfoil.core.shop import TRANSIT_DAYS
from counterfoil.desk.settings.kinds import Field, Options, state_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Rows:
    """A setting that is a list: a row of fields each. `holds` says what is in the list in one word."""

    name: str
    label: str
    columns: tuple[Field, ...]
    holds: str
    hint: str = ""
    bare: bool = False  # the list holds the single column's values themselves

    def apart(self, value: list[Any]) -> list[Row]:
        """The stored rows as flat ones, a value a column."""
        return [{self.columns[0].name: one} for one in value] if self.bare else [dict(row) for row in value]

    def together(self, rows: list[Row]) -> list[Any]:
        """Flat rows as they are stored."""
        return [row[self.columns[0].name] for row in rows] if self.bare else rows


@dataclass(frozen=True)
class Ways(Rows):
    """Delivery methods: one that does not say how long it takes shows what is reckoned with."""

    def apart(self, value: list[Any]) -> list[Row]:
        return [{"days": TRANSIT_DAYS, **way} for way in super().apart(value)]

    def together(self, rows: list[Row]) -> list[Any]:
        """Whose parcels they are is stored only where somebody has said."""
        return [{k: v for k, v in row.items() if k != "carrier" or v} for row in rows]


@dataclass(frozen=True)
class Places(Rows):
    """Rows that begin with a destination: the state is stored as addresses have it, and not at all when empty."""

    def together(self, rows: list[Row]) -> list[Any]:
        found = []
        for row in rows:
            state = state_of(str(row.get("country", "")), str(row.get("state") or ""))
            found.append({**{k: v for k, v in row.items() if k != "state"}, **({"state": state} if state else {})})
        return found


@dataclass(frozen=True)
class Rates(Places):
    """Tax by destination: a column for each tax class, which the page adds."""

    def apart(self, value: list[Any]) -> list[Row]:
        flat = []
        for zone in value:
            rates = {f"rate {kind}": rate for kind, rate in zone.get("rates", {}).items()}
            flat.append({"country": zone["country"], "state": zone.get("state", ""), **rates})
        return flat

    def together(self, rows: list[Row]) -> list[Any]:
        found = []
        for row in super().together(rows):
            rates = {k.removeprefix("rate "): v for k, v in row.items() if k.startswith("rate ") and v is not None}
            found.append({k: row[k] for k in ("country", "state") if k in row} | {"rates": rates})
        # A state is looked for before its whole country.
        return sorted(found, key=lambda zone: "state" not in zone)


def rate_column(kind: str) -> Field:
    """The column of a tax class."""
    return Field(f"rate {kind}", f"{kind.capitalize()} %", "rate", width="narrow")


@dataclass(frozen=True)
class Group:
    title: str
    items: tuple[Field | Rows, ...]
    lead: str = ""
    anchor: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A page of settings."""

    code: str
    title: str
    lead: str
    groups: tuple[Group, ...]

    def items(self) -> Iterator[Field | Rows]:
        for group in self.groups:
            yield from group.items

    def names(self) -> list[str]:
        return [item.name for item in self.items()]

    def rows(self, name: str) -> Rows | None:
        return next((item for item in self.items() if isinstance(item, Rows) and item.name == name), None)


CHECKOUT: Options = {
    "save": ("Save the card, charge it later", "Nothing is held on it. This is how most shops work."),
    "authorise": (
        "Have the bank hold the total at once, take it later",
        "The customer sees it as pending. When the bank's time is over it is asked for again.",
    ),
}
CHARGE_ON: Options = {
    "confirmed": ("Every line is here, or will be in a day or two", "A clerk charges; then it is picked and packed."),
    "packed": ("The box is packed", "Picked and packed first; a clerk charges, then it may leave."),
    "shipped": ("The box leaves", "The shipment charges; a card that is declined ships nothing."),
}
SUBSTITUTE: Options = {
    "own": ("Its own price", "Dearer or cheaper than what was ordered; the customer reads the difference with tax."),
    "lower": ("The lower of both", "Nobody pays more for what we have run out of."),
    "ordered": ("What the ordered one costs", "The total stays as it was, tax of another class aside."),
}
LOTS_BY: Options = {
    "fefo": ("The date that ends first", "Among lots without a date, the oldest."),
    "fifo": ("The oldest", "Whatever its date."),
}
PAPER: Options = {
    "letter": ("Letter", "8½ × 11 inches: United States, Canada, Mexico"),
    "a4": ("A4", "210 × 297 mm: everywhere else"),
}
PRINT_AT: Options = {
    "approval": ("As soon as it is approved", "Both copies; the card receipt when it is charged and all is here."),
    "packing": ("When it is packed", "Everything at once, at the packing table."),
}
FILE_COPY: Options = {
    "paper": ("Goes on paper into the drawer", "The day sheet says which ones are still to be printed."),
    "pdf": ("Is kept as PDF only", "It is never printed."),
}
PACKING_SLIPS: Options = {
    "all": ("Goes into every box", "What is in it, without prices."),
    "parts_and_gifts": ("Only where it is needed", "An order in parts or in several boxes, or a gift."),
}
GIFT_PAPERS: Options = {
    "mail": ("Go to the buyer by mail", "With the mail that it is on its way; the slip in the box bears the note."),
    "parcel": ("Go into the parcel", "Whoever opens it sees what it cost."),
}
CURRENCIES: Options = {code: (code, "") for code in sorted(DECIMALS)}
DECLINES: Options = {
    "never": ("never", ""),
    "later": ("later", ""),
    "customer": ("the customer acts", ""),
    "ours": ("ours to mend", ""),
}
NETS: Options = {net: ("any other" if net == "*" else net, "") for net in NETWORKS}
COUNTRY = Field("country", "Country", "country", listed="countries")
STATE = Field("state", "State", hint="empty: all of it", width="narrow")
SINCE = Field("from", "From", "date", width="date")
SOURCE = Field("source", "Read where", width="wide")
assert set(DECLINES) == set(CLASSES)

SHOP = Section(
    "shop", "Shop", "Who you are: on every page, mail and paper.",
    (
        Group("Name and address", (
            Field("name", "Shop's name", needed=True, most=100),
            Field("tax_number", "Tax number", hint="as your papers have to show it"),
            Field("address", "Address", "lines", hint="a line each, as on an envelope, without the name",
                  width="", rows=4),
        )),
        Group("Logo", (
            Field("logo", "Logo", "picture", hint="PNG or JPEG of at most 2 MB, best 600 pixels wide or more, without "
                  "empty edges"),
        ), "At the head of the shop, its mails and its papers, where the name stands otherwise. Papers that were "
           "issued keep the one that they had.", "logo"),
        Group("How customers reach you", (
            Field("email", "E-mail", "email", hint="mails come from it, and answers go to it", needed=True),
            Field("phone", "Telephone", "phone"),
        )),
        Group("Terms", (
            Field("terms", "What the customer agrees to", "prose", hint="stands on the sales order and in a dispute's "
                  "evidence", width="", rows=6),
        )),
    ),
)  # fmt: skip
MONEY = Section(
    "money", "Money", "In which currency you sell, and when a card is charged.",
    (
        Group("Currency", (Field("currency", "The shop's currency", "select", options=CURRENCIES,
                                 hint="cannot be changed once there are products or orders"),)),
        Group("When the card is charged", (
            Field("card_at_checkout", "At check-out", "choice", options=CHECKOUT),
            Field("charge_on", "The money is taken when", "choice", options=CHARGE_ON),
            Field("charge_within_days", "Goods count as here when due within", "whole", most=30,
                  hint="business days, on a date that the supplier has confirmed"),
            Field("authorisation_warning_days", "Warn before the bank lets go", "whole", most=30,
                  hint="days before the end that the bank itself names"),
            Field("cannot_ship_days", "Refund what cannot be shipped after", "whole", least=1, most=30,
                  hint="business days without an answer, when charged goods do not come"),
        ), "Never before the order is approved, entered in the books, and every line of it is here or confirmed for "
           "soon.", "charging"),
        Group("When a card is declined", (
            Field("grace_days", "Keep the goods for", "whole", most=90,
                  hint="days; then they go back to the shelf and the customer is told"),
            Field("retry_after_hours", "Try the card again after", "numbers",
                  hint="hours after the first decline, only where it may help: 24, 72, 120"),
            Field("reminder_days", "Remind the customer", "numbers",
                  hint="days after the decline; with a minus, before the goods are let go: 2, -1"),
            Field("reminder_hour", "At this hour", "whole", most=23, hint="of the shop's clock, 0 to 23"),
        ), anchor="declines"),
        Group("The networks' rules, with date and source", (
            Rows("retry_limits", "How often a card may be tried", (
                SINCE, Field("network", "Network", "select", options=NETS),
                Field("attempts", "Attempts", "whole", most=100, width="narrow"),
                Field("days", "In days", "whole", most=90, width="narrow"), SOURCE), "limit"),
            Rows("decline_classes", "What a decline means", (
                SINCE, Field("class", "Try again", "select", options=DECLINES),
                Field("codes", "The processor's codes", "codes", width="wide"), SOURCE), "rule"),
        ), "Banks change these; each row holds from its day on.", folded=True),
    ),
)  # fmt: skip
CALENDAR = Section(
    "calendar", "Calendar", "Your clock and your working days: every promised date is counted with them.",
    (
        Group("Where the shop stands", (
            Field("timezone", "Time zone", listed="timezones", needed=True, hint="type a city: America/Los_Angeles"),)),
        Group("Working days", (Field("working_days", "You work on", "weekdays", width=""),)),
        Group("Holidays", (
            Rows("holidays", "Closed on", (Field("day", "Day", "date", width="date"),), "holiday", bare=True),),
            "Days on which nobody packs, and which no promise counts."),
    ),
)  # fmt: skip
DELIVERY = Section(
    "delivery", "Delivery", "What shipping costs, which tax is due where, and where you may not ship.",
    (
        Group("Delivery methods", (
            Ways("deliveries", "Offered at check-out", (
                Field("method", "Called", width="wide"), Field("price", "Price", "amount", width="narrow"),
                Field("days", "Working days on the way", "whole", width="narrow", most=60),
                Field("carrier", "Taken by", width="narrow")),
                "delivery method", "in this order; the first is chosen unless the customer says otherwise"),)),
        Group("Cut-offs", (
            Rows("cut_offs", "Takes parcels until", (
                Field("carrier", "Carrier", needed=True), Field("at", "Until", "time", needed=True, width="narrow")),
                "carrier", "of your clock, on your working days"),),
            "Pick, Pack and Ship sort by them, and say what must leave by when.", "cut-offs"),
        Group("Tax by destination", (
            Rates("zones", "Rates in per cent", (COUNTRY, STATE), "destination",
                  "a state's row counts before its country's; what is not listed is not taxed"),),
            "By the product's tax class, on every line. Ask your accountant: we give no advice on tax.", "tax"),
        Group("States not served", (
            Places("not_served", "No order is taken for", (
                COUNTRY, STATE, Field("reason", "The reason that the customer reads", width="wide", needed=True)),
                "place"),),
            "Refused at check-out, on the telephone and from every channel, with your reason.", "not-served"),
    ),
)  # fmt: skip
STOCK = Section(
    "stock", "Stock and buying", "How goods are found, and what is asked when they are not there.",
    (
        Group("The shelf", (Field("lots_by", "Which lot is picked first", "choice", options=LOTS_BY),),
              "A lot whose date has passed comes last."),
        Group("After an order is approved", (
            Field("sales_order_by_hand", "A person makes the sales order with a button", "tick", width="",
                  hint="else it is made with the approval"),
            Field("stock_check_by_hand", "A person starts the stock check with a button", "tick", width="",
                  hint="else it runs with the sales order"),
        )),
        Group("When the customer is asked", (
            Field("substitute_price", "A substitute costs, unless a clerk says otherwise", "choice",
                  options=SUBSTITUTE),
            Field("proposal_days", "A question stays open for", "whole", least=1, most=60,
                  hint="days; what we offered from the shelf is kept so long"),
        ), anchor="substitutes"),
    ),
)  # fmt: skip
PROMISES = Section(
    "promises", "Promises", "Which ship date is proposed, and when a customer is asked because it will not hold.",
    (
        Group("Ship dates", (
            Field("ship_within_days", "Propose to ship within", "whole", most=60,
                  hint="business days from approval, when everything is in stock"),
            Field("notice_days", "Ask the customer", "whole", least=1, most=60,
                  hint="days before a promised or legal date, where nothing says that the goods will be here"),
        ), "The customer is told and asked by itself: at once when a supplier's date is later than the promise, else "
           "some days before."),
        Group("Undo at the desk", (
            Field("undo_seconds", "Approvals and mails wait for", "whole", most=120,
                  hint="seconds in which they can be taken back; 0: they go out at once"),
        ), anchor="undo"),
        Group("The law's rules, with date and source", (
            Rows("promise_rules", "By when an order must ship", (
                SINCE, Field("country", "Country", "anywhere", hint="* for any other", listed="countries"),
                Field("code", "Rule"), Field("days", "Ship within", "whole", most=365, width="narrow"),
                Field("silent_days", "Silence is a yes", "whole", most=365, width="narrow",
                      hint="days of a first delay; 0: never"),
                SOURCE), "rule"),
        ), "No legal advice: look at them with somebody who gives it.", folded=True),
    ),
)  # fmt: skip
PAPERS = Section(
    "paper", "Paper", "Which papers are printed, when, and on what.",
    (
        Group("Size", (Field("paper", "The printer holds", "choice", options=PAPER),)),
        Group("What goes with an order", (
            Field("print_at", "The sales order's copies are printed", "choice", options=PRINT_AT),
            Field("file_copy", "The file copy", "choice", options=FILE_COPY),
            Field("packing_slips", "A packing slip", "choice", options=PACKING_SLIPS),
            Field("gift_papers", "Of a gift, the papers with prices", "choice", options=GIFT_PAPERS),
        ), "The packet of a charged order whose goods are due is printed when they are here, not before.", "papers"),
    ),
)  # fmt: skip
SECTIONS = {s.code: s for s in (SHOP, MONEY, CALENDAR, DELIVERY, STOCK, PROMISES, PAPERS)}
LABELS = {item.name: item.label for section in SECTIONS.values() for item in section.items()}

"""What happened in the demo shop: some eighty orders and a dozen purchase orders, each as the acts that people did.

Times are those of `Days.at`: "3 14:10" is ten past two on the third working day before day 0, "25m" is 25 minutes ago.
Promised and expected dates are working days from today; a negative one is that working day back.
"""

# ruff: noqa: E501 (a table reads best with one order to a line)
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MARA, TOBIAS, PIM = "mara@example.com", "tobias@example.com", "picker@example.com"
BEA, NURIA, INES = "buyer@example.com", "books@example.com", "owner@example.com"
CUSTOMER = "customer"


@dataclass(frozen=True)
class Do:
    """One act: the verb, when, by whom (a log-in, or the customer), and what it needs to know."""

    verb: str
    at: str
    by: str = MARA
    give: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tale:
    """An order: who wanted what, where it stands today, and what was done with it after it was placed."""

    who: str
    lines: str  # "SKU*units SKU*units", with "@price" in minor units where the currency is not the shop's
    ends: str
    placed: str
    acts: tuple[Do, ...] = ()
    card: str = "pm_card_visa"  # or how it is paid without one: terminal, cheque, on_delivery
    channel: str = "web"
    currency: str = "USD"
    method: str = "ground"
    gift: str = ""
    comment: str = ""
    needed: int | None = None  # working days from today
    flags: tuple[tuple[str, str], ...] = ()
    finished: bool = True


@dataclass(frozen=True)
class Bought:
    """A purchase order: what was ordered when, which dates the supplier named, what came."""

    supplier: str
    lines: str
    sent: str
    confirmed: tuple[tuple[str, int], ...] = ()  # when, and for which working day
    received: tuple[tuple[str, str], ...] = ()  # when, and "SKU*units" or "SKU*units/damaged"


def do(verb: str, at: str, by: str = MARA, **give: Any) -> Do:
    return Do(verb, at, by, give)


def _time(hour: int, minute: int) -> str:
    return f"{hour + minute // 60:02}:{minute % 60:02}"


def fulfil(day: int, nth: int, *, upto: str, promise: int | None = None, by: str = "", at: str = "") -> tuple[Do, ...]:
    """The ordinary walk of an order on one working day: read, charged, picked, packed, shipped, delivered later.

    `nth` spreads the orders of a day over its hours; `upto` is the last act; `promise` defaults to the same day.
    """
    clerk = by or (MARA, TOBIAS)[nth % 2]
    late = nth * 7 % 46
    walk = (
        do(
            "approve",
            f"{day} {at or _time(9, 4 + late)}",
            clerk,
            ship=-day if promise is None and day else promise or 1,
        ),
        do("charge", f"{day} {_time(10, 2 + late)}", clerk),
        do("pick", f"{day} {_time(11, 10 + late)}", PIM),
        do("pack", f"{day} {_time(13, 5 + late)}", PIM),
        do("ship", f"{day} {_time(15, 20 + late)}", PIM),
        do("deliver", f"{max(0, day - 2)} {_time(13, 12 + nth * 11 % 190)}", PIM),
    )
    verbs = [act.verb for act in walk]
    return walk[: verbs.index(upto) + 1]


def paid_offline(acts: tuple[Do, ...], reference: str, **card: str) -> tuple[Do, ...]:
    """The same walk with the money written down instead of charged."""
    return tuple(Do("pay", a.at, a.by, {"reference": reference, **card}) if a.verb == "charge" else a for a in acts)


def unpaid(acts: tuple[Do, ...]) -> tuple[Do, ...]:
    """The same walk for an order that is paid at the door."""
    return tuple(a for a in acts if a.verb != "charge")


_LOST = "The cellar book says two, the rack holds one"

DONE: tuple[Tale, ...] = (
    Tale("zoe@example.com", "ALD-PN-2022*3 ACC-GIFT-1*1", "done", "13 14:10", fulfil(12, 0, upto="deliver"), gift="Happy birthday, Nils. Open the 2022 first, slowly."),
    Tale("marcus@example.com", "MAR-BR-NV*6", "done", "12 20:31", fulfil(11, 1, upto="deliver"), card="pm_card_mastercard"),
    Tale("juergen@example.com", "QUI-RI-2023*6@3600 QUI-LH-2021*1@4400", "done", "12 05:48", fulfil(11, 2, upto="deliver"), currency="EUR", channel="eu-shop"),
    Tale("ruth@example.com", "SAL-RO-2024*12", "done", "11 18:02", fulfil(10, 3, upto="deliver"), card="pm_card_amex"),
    Tale("jose.nunez@example.com", "COP-SY-2020*6 VES-SA-2021*6", "done", "10 12:25", fulfil(9, 4, upto="deliver")),
    Tale("huong@example.com", "TER-SB-2024*4 ACC-GLASS-2*1", "done", "10 16:44", fulfil(9, 5, upto="deliver"), method="express"),
    Tale("amina@example.com", "NOC-TA-NV*2", "done", "9 09:40", paid_offline(fulfil(8, 6, upto="deliver", at="10:41"), "Cheque 2041, Cedar Credit Union"), card="cheque", channel="phone", comment="Pays by cheque; asked for a paper invoice."),
    Tale("bo@example.com", "HAR-ZI-2021*3 VES-VE-2023*1", "done", "9 21:15", fulfil(8, 7, upto="deliver")),
    Tale("grace@example.com", "QUI-LH-2019*1 ACC-CORK*1", "done", "8 19:05", (
        do("approve", "7 09:21", ship=-5), do("count", "7 10:05", PIM, seen={"QUI-LH-2019": 0}),
        do("ask", "7 10:48", message="The very last 2019 has gone missing from its rack, and I am sorry. Would the 2021 do, at the older one's price less eight dollars?", choices=[{"kind": "substitute", "line": "QUI-LH-2019", "sku": "QUI-LH-2021", "quantity": 1}, {"kind": "cancel", "line": "QUI-LH-2019"}, {"kind": "cancel"}]),
        do("answer", "6 07:52", CUSTOMER, choice=0), do("charge", "6 09:33"), do("pick", "6 11:02", PIM), do("pack", "6 11:31", PIM), do("ship", "6 15:24", PIM), do("deliver", "4 14:17", PIM))),
    Tale("olga@example.com", "STO-CF-2021*4", "done", "8 11:50", (
        *fulfil(7, 8, upto="deliver"), do("return", "3 11:20", PIM, lines="STO-CF-2021*1", condition="damaged", reason="One bottle corked"),
        do("refund", "3 11:42", NURIA, lines="STO-CF-2021*1", reason="One bottle corked"))),
    Tale("seun@example.com", "ALD-PN-2021*2@4600 MAR-BR-NV*3@3100", "done", "8 02:33", fulfil(7, 9, upto="deliver"), currency="GBP", channel="eu-shop"),
    Tale("dakota@example.com", "LAN-TE-2020*6", "done", "7 17:20", paid_offline((*unpaid(fulfil(6, 10, upto="deliver")), do("charge", "4 16:58")), "Paid at the door, carrier's note 77-310"), card="on_delivery", channel="phone"),
    Tale("zoe@example.com", "ALD-CH-2022*2 ALD-RO-2024*2", "done", "7 13:37", (do("hold", "6 09:15", TOBIAS, reason="Apartment number is missing; called, she rings back"), do("release", "6 10:20", TOBIAS), do("remember", "6 10:24", TOBIAS, note="Comes by bicycle: three bottles at most in one box.", prefers="mail"), *fulfil(5, 11, upto="deliver"))),
    Tale("priya@example.com", "SAL-CB-2022*6", "done", "6 22:08", fulfil(5, 12, upto="deliver"), method="express"),
)  # fmt: skip

ON_THE_WAY: tuple[Tale, ...] = (
    Tale("sunny@example.com", "MAR-BR-NV*3 ACC-GIFT-1*3", "transit", "3 13:05", fulfil(2, 0, upto="ship"), gift="For the three of you. Chill well. 🌻"),
    Tale("leilani@example.com", "VES-SA-2020*6", "transit", "3 15:52", fulfil(2, 1, upto="ship")),
    Tale("zoe@example.com", "TER-CH-2023*6", "transit", "2 08:14", fulfil(1, 2, upto="ship")),
    Tale("annesophie@example.com", "COP-SY-2021*3@3700", "transit", "2 04:40", fulfil(1, 3, upto="ship"), currency="EUR", channel="eu-shop", card="pm_card_mastercard"),
    Tale("wosf@example.com", "HSE-WH-12*1", "transit", "2 19:33", unpaid(fulfil(1, 4, upto="ship")), card="on_delivery", channel="phone", comment="Ring twice. The dog is friendly, mostly."),
    Tale("genevieve@example.com", "QUI-RI-2022*3", "transit", "2 12:01", fulfil(1, 5, upto="ship"), method="express"),
    Tale("dangelo@example.com", "ALD-PN-2021*3", "ship", "1 09:48", fulfil(0, 0, upto="pack")),
    Tale("jose.nunez@example.com", "LAN-AL-2023*4", "ship", "1 10:22", fulfil(0, 1, upto="pack"), method="express", needed=2),
    Tale("moira@example.com", "NOC-TA-NV*1 ACC-GLASS-2*1", "ship", "1 12:46", fulfil(0, 2, upto="pack")),
    Tale("hanako@example.com", "QUI-RI-2023*2 ACC-GIFT-1*1", "ship", "1 02:19", fulfil(0, 3, upto="pack"), gift="お誕生日おめでとうございます", method="express"),
    Tale("seoyeon@example.com", "TER-SB-2024*6", "pack", "1 13:13", fulfil(0, 4, upto="pick")),
    Tale("harjit@example.com", "HAR-ZI-2021*6", "pack", "1 14:05", fulfil(0, 5, upto="pick")),
    Tale("marcus@example.com", "COP-SY-2020*2 STO-CF-2021*2", "pack", "1 16:31", fulfil(0, 6, upto="pick"), card="pm_card_mastercard"),
    Tale("sian@example.com", "SAL-RO-2024*6@1900", "pack", "1 06:50", fulfil(0, 7, upto="pick"), currency="GBP", channel="eu-shop"),
    Tale("bo@example.com", "ACC-CORK*2 ACC-GLASS-2*2", "pack", "1 18:12", fulfil(0, 8, upto="pick")),
    Tale("huong@example.com", "ALD-RO-2024*6 SAL-RO-2024*6", "pack", "1 20:44", fulfil(0, 9, upto="pick")),
    Tale("grace@example.com", "ALD-PN-2022*6", "pick", "1 11:02", fulfil(0, 10, upto="charge"), card="pm_card_amex"),
    Tale("dakota@example.com", "MAR-BR-NV*2 ACC-GIFT-1*2", "pick", "1 15:19", fulfil(0, 11, upto="charge"), gift="To Ana and Luis, with love from the whole street.", needed=6),
    Tale("eleni@example.com", "VES-SA-2021*6@3100", "pick", "1 03:57", fulfil(0, 12, upto="charge"), currency="EUR", channel="eu-shop"),
    Tale("amina@example.com", "QUI-LH-2021*2", "pick", "1 17:40", fulfil(0, 13, upto="charge")),
    Tale("kirra@example.com", "TER-CH-2023*12", "pick", "1 01:26", fulfil(0, 14, upto="charge")),
    Tale("soren@example.com", "ALD-CH-2022*4", "pick", "1 05:05", fulfil(0, 15, upto="charge"), method="express"),
    Tale("ruth@example.com", "HSE-WH-12*2", "pick", "1 19:28", unpaid(fulfil(0, 16, upto="charge")), card="on_delivery", channel="phone"),
    Tale("olga@example.com", "LAN-TE-2020*3 LAN-AL-2023*3", "pick", "1 21:50", fulfil(0, 17, upto="charge")),
    Tale("priya@example.com", "NOC-TA-NV*1", "pick", "1 22:17", paid_offline(fulfil(0, 18, upto="charge"), "Terminal slip 004417", brand="visa", last4="4242"), card="terminal", channel="phone"),
    Tale("meiling@example.com", "COP-SY-2021*6", "pick", "1 00:42", fulfil(0, 19, upto="charge")),
)  # fmt: skip

# Bottles that are not here: nothing to buy them from yet, on order, or charged on a date that the supplier has named.
MISSING: tuple[Tale, ...] = (
    Tale("wosf@example.com", "TER-BB-2019*12", "stock", "2 11:36", fulfil(0, 0, upto="approve", promise=9), comment="For a wedding; the label matters more than the year."),
    Tale("harjit@example.com", "MAR-RO-NV*24", "stock", "2 16:20", fulfil(0, 1, upto="approve", promise=7)),
    Tale("dangelo@example.com", "NOC-VP-2017*12", "stock", "1 08:31", fulfil(0, 2, upto="approve", promise=14)),
    Tale("jose.nunez@example.com", "LAN-TE-2018*18", "stock", "1 13:58", fulfil(0, 3, upto="approve", promise=10)),
    Tale("aegir@example.com", "STO-RE-2017*20", "stock", "1 04:11", fulfil(0, 4, upto="approve", promise=12)),
    Tale("marcus@example.com", "ALD-CH-2023*6 MAR-BR-NV*2", "goods", "5 08:10", (
        do("approve", "4 09:12", ship=7), do("ask", "4 11:03", message="The Brut is here, the Chardonnay lands next week. Shall the Brut go ahead?", choices=[{"kind": "split", "line": "ALD-CH-2023", "quantity": 6, "date": 7}, {"kind": "later_date", "date": 7}, {"kind": "cancel"}]),
        do("answer", "3 07:49", CUSTOMER, choice=0), do("charge", "3 09:20"), do("pick", "3 11:14", PIM), do("pack", "3 11:52", PIM), do("ship", "3 15:31", PIM))),
    Tale("leilani@example.com", "ALD-CH-2023*6", "goods", "4 17:17", fulfil(3, 1, upto="approve", promise=8)),
    Tale("seoyeon@example.com", "ALD-CH-2023*3 QUI-RI-2023*3", "goods", "3 10:09", fulfil(2, 2, upto="approve", promise=8)),
    Tale("bo@example.com", "STO-RE-2018*3", "goods", "4 09:33", fulfil(4, 3, upto="approve", promise=10, at="11:20")),
    Tale("lukasz@example.com", "STO-RE-2018*2@6900", "goods", "3 06:02", fulfil(2, 4, upto="approve", promise=12), currency="EUR", channel="eu-shop"),
    Tale("sunny@example.com", "STO-RE-2018*1 ACC-GIFT-1*1", "goods", "3 21:33", fulfil(2, 5, upto="approve", promise=12), gift="It keeps. So do we."),
    Tale("grace@example.com", "HAR-ZI-2022*6", "goods", "5 13:47", fulfil(4, 6, upto="approve", promise=11)),
    Tale("moira@example.com", "HAR-ZI-2022*6", "goods", "4 15:03", fulfil(3, 7, upto="approve", promise=11)),
    Tale("athina@example.com", "HAR-ZI-2022*4 HAR-ZI-2021*2", "goods", "3 00:55", fulfil(2, 8, upto="approve", promise=11)),
    Tale("ruth@example.com", "VES-VE-2023*6", "charge", "6 10:41", fulfil(5, 9, upto="approve", promise=4)),
    Tale("zoe@example.com", "VES-VE-2023*4 SAL-CB-2022*2", "charge", "5 19:20", fulfil(4, 10, upto="approve", promise=4)),
    Tale("berenger@example.com", "ALD-RO-2024*6@2400", "charge", "1 05:22", fulfil(0, 21, upto="approve", promise=1), currency="EUR", channel="eu-shop"),
    Tale("huong@example.com", "TER-SB-2024*12", "charge", "1 17:02", fulfil(0, 22, upto="approve", promise=1)),
    Tale("amina@example.com", "SAL-RO-2024*4", "charge", "1 20:06", fulfil(0, 23, upto="approve", promise=2), card="pm_card_discover"),
    Tale("fiona@example.com", "LAN-AL-2023*6@2300", "charge", "1 03:10", fulfil(0, 24, upto="approve", promise=2), currency="GBP", channel="eu-shop"),
    Tale("dakota@example.com", "COP-SY-2020*12", "charge", "2 14:29", fulfil(0, 25, upto="approve", promise=3), card="cheque", channel="phone", comment="The cheque is in the post, he says."),
    Tale("olga@example.com", "MAR-BR-2016*2", "charge", "2 18:44", (*fulfil(1, 26, upto="approve", promise=2), do("hold", "0 09:50", TOBIAS, reason="Wants to know first whether the disgorgement date is on the label"))),
    Tale("priya@example.com", "HSE-RD-12*5", "charged_waiting", "6 12:12", (*fulfil(5, 11, upto="approve", promise=3), do("charge", "0 10:31"))),
    Tale("seoyeon@example.com", "HSE-RD-12*2 ACC-CORK*1", "charged_waiting", "5 16:36", (*fulfil(4, 12, upto="approve", promise=3), do("charge", "0 10:44", TOBIAS))),
    Tale("leilani@example.com", "LAN-AL-2024*6", "cannot_ship", "6 09:09", (*fulfil(5, 13, upto="approve", promise=3), do("charge", "0 10:12"))),
    Tale("genevieve@example.com", "ACC-GIFT-3*2 STO-CF-2021*3", "promise", "7 14:50", fulfil(6, 14, upto="approve", promise=4), needed=8),
    Tale("dangelo@example.com", "TER-CH-2022*12", "promise", "5 11:11", fulfil(4, 15, upto="approve", promise=-1)),
)  # fmt: skip

TROUBLE: tuple[Tale, ...] = (
    Tale("takeru@example.com", "STO-RE-2015*2", "payment_problem", "1 00:20", card="pm_card_visa_chargeDeclinedInsufficientFunds"),
    Tale("swietka@example.com", "MAR-BR-NV*1", "payment_problem", "1 07:31", card="pm_card_authenticationRequired"),
    Tale("bo@example.com", "NOC-TA-NV*3", "payment_problem", "1 11:47", fulfil(0, 27, upto="charge"), card="pm_card_chargeCustomerFail"),
    Tale("jose.nunez@example.com", "QUI-RI-2018*2", "call", "3 12:40", (
        do("remember", "3 13:05", TOBIAS, note="Teaches until three; ring after that. Has a cool cellar.", prefers="phone"), do("approve", "2 09:17", ship=2), do("count", "2 10:26", PIM, seen={"QUI-RI-2018": 1}),
        do("ask", "2 11:09", message=f"{_LOST}. The 2022 is drier, and ready.", choices=[{"kind": "substitute", "line": "QUI-RI-2018", "sku": "QUI-RI-2022", "quantity": 1}, {"kind": "cancel", "line": "QUI-RI-2018", "quantity": 1}, {"kind": "cancel"}]))),
    Tale("eleni@example.com", "HAR-ZI-2022*3@2900", "question", "3 04:31", (
        do("approve", "2 09:44", TOBIAS, ship=3), do("ask", "1 10:15", TOBIAS, message="Our supplier needs a week longer than we told you.", choices=[{"kind": "later_date", "date": 10}, {"kind": "substitute", "line": "HAR-ZI-2022", "sku": "HAR-ZI-2021", "quantity": 3, "price": 2900, "date": 1}, {"kind": "cancel"}])), currency="EUR", channel="eu-shop"),
    Tale("hanako@example.com", "VES-SA-2020*2", "question", "2 22:58", (
        do("approve", "1 09:58", ship=2), do("ask", "0 09:24", message="By ground it will not be with you on the day you named. Express would be.", choices=[{"kind": "expedite", "method": "Express, signature 21+", "price": 3500, "date": 1}, {"kind": "later_date", "date": 3}, {"kind": "cancel"}])), needed=4),
    Tale("ruth@example.com", "VES-VE-2023*2 ACC-CORK*1", "call", "2 15:03", (do("approve", "1 10:21", ship=4),), needed=2, comment="For my mother's birthday; it must be there on the day."),
    Tale("bo@example.com", "TER-SB-2024*3", "call", "2 19:44", (do("approve", "1 11:08", TOBIAS, ship=5), do("called", "1 15:10", TOBIAS, outcome="no_answer", note="Rang twice, left a message")), needed=3, method="express"),
    Tale("sunny@example.com", "ALD-PN-2022*2", "cancelled", "9 12:34", (do("cancel", "8 09:31", TOBIAS, reason="Ordered twice by mistake"),)),
    Tale("kirra@example.com", "COP-GR-2022*12", "cancelled", "9 01:05", (
        do("approve", "8 10:02", ship=2), do("ask", "7 10:30", message="We have five of the twelve, and the grower's boat is late.", choices=[{"kind": "split", "line": "COP-GR-2022", "quantity": 7, "date": 6}, {"kind": "cancel"}]),
        do("answer", "6 08:41", CUSTOMER, choice=1))),
    Tale("wosf@example.com", "TER-SB-2024*3", "cancelled", "5 15:45", (*fulfil(4, 16, upto="pick"), do("cancel", "4 14:22", reason="Moved away before the parcel could leave"))),
    Tale("ruth@example.com", "ALD-PN-2021*1", "unfinished", "21m", finished=False, card=""),
    Tale("aase@example.com", "LAN-TE-2020*2", "unfinished", "8m", finished=False, card=""),
)  # fmt: skip

TO_REVIEW: tuple[Tale, ...] = (
    Tale("bjork@example.com", "QUI-RI-2022*6", "review", "1 18:10", (do("hold", "0 09:38", TOBIAS, reason="Customs wants an importer's licence number; written to her"),)),
    Tale("marcus@example.com", "NOC-VP-2011*1", "review", "1 21:36", (do("hold", "0 16:02", reason="Delivery asked to another name than the card's: called, no answer yet"),), flags=(("other_name", "Goes to another name than the card's"),)),
    Tale("soren@example.com", "ALD-CH-2022*3", "sales_order", "2 14:20", (do("approve_held", "1 10:12", ship=3, reason="Wants the bill made out to their company; the tax number is to come by mail"),)),
    Tale("oleksandr@example.com", "SAL-RO-2024*12", "review", "1180m"),
    Tale("huong@example.com", "ALD-PN-2022*2 ALD-CH-2022*2 ALD-RO-2024*2", "review", "905m", needed=3, comment="A tasting on the evening of the date: please not a day later."),
    Tale("harjit@example.com", "HSE-WH-12*4", "review", "760m", flags=(("large", "The largest order of this customer so far"),)),
    Tale("mcarmen@example.com", "LAN-TE-2020*6@2900 LAN-AL-2023*3@2700", "review", "655m", currency="EUR", channel="eu-shop"),
    Tale("grace@example.com", "MAR-BR-NV*1 ACC-GIFT-1*1", "review", "540m", gift="Congratulations on the new job! No work talk while this is open.", card="pm_card_amex"),
    Tale("enaut@example.com", "NOC-TA-NV*2@4500", "review", "410m", currency="EUR", channel="eu-shop"),
    Tale("dakota@example.com", "HAR-GS-2023*3", "review", "268m"),
    Tale("zoe@example.com", "COP-SY-2021*2 STO-CF-2021*1", "review", "190m", method="pick_up", comment="I come by on my way home."),
    Tale("olga@example.com", "VES-SA-2021*3", "review", "122m"),
    Tale("seoyeon@example.com", "ACC-GLASS-2*1 TER-CH-2023*2", "review", "71m", method="express", needed=2),
    Tale("sian@example.com", "ALD-RO-2024*3@2200", "review", "46m", currency="GBP", channel="eu-shop"),
    Tale("amina@example.com", "HAR-ZI-2021*1", "review", "27m"),
    Tale("priya@example.com", "MAR-BR-NV*6", "review", "9m"),
)  # fmt: skip

# The goods arrived, and the customer has gone to their bank: answered by its day, or lost.
DISPUTED: tuple[Tale, ...] = (
    Tale("harjit@example.com", "SAL-CB-2022*3 ACC-CORK*1", "bank_differs", "4 15:27", fulfil(3, 28, upto="deliver"), card="pm_card_createDispute"),
)  # fmt: skip

TALES: tuple[Tale, ...] = (*DONE, *ON_THE_WAY, *MISSING, *TROUBLE, *TO_REVIEW, *DISPUTED)

PURCHASES: tuple[Bought, ...] = (
    Bought("harbour", "TER-CH-2023*24 MAR-BR-NV*24", "14 10:02", (("13 09:20", -11),), (("11 10:33", "TER-CH-2023*24/2 MAR-BR-NV*24"),)),
    Bought("meridian", "COP-GR-2022*12 LAN-TE-2020*12", "10 14:33", (("9 09:12", -3), ("2 14:20", 6)), (("3 10:47", "COP-GR-2022*6/1 LAN-TE-2020*12"),)),
    Bought("cellarway", "ACC-GIFT-3*12", "8 10:09", (("6 09:26", 2), ("0 11:16", 9))),
    Bought("meridian", "HSE-RD-12*6", "7 09:52", (("5 11:15", 1),)),
    Bought("meridian", "LAN-AL-2024*12", "7 10:05", (("5 11:19", 1), ("0 15:12", 12))),
    Bought("cellarway", "VES-VE-2023*12", "6 15:04", (("4 10:01", 1),)),
    Bought("northfold", "ALD-CH-2023*24", "5 10:20", (("4 10:30", 6),)),
    Bought("harbour", "TER-CH-2022*12", "5 12:06"),
    Bought("cellarway", "HAR-ZI-2022*24", "4 14:00", (("3 09:40", 8),)),
    Bought("meridian", "STO-RE-2018*12", "3 11:00"),
    Bought("northfold", "ALD-PN-2021*12 QUI-RI-2022*12", "0 14:07"),
)  # fmt: skip

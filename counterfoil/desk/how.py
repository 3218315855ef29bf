"""The process told to people who want to understand it: each step, who acts, what is made, and where the money is.

What may be told comes from the process's own tables: queues and their actions from `flow/map.py`, names and roles from
`desk/words.py`, states from the axes' machines. A test holds this page to them. Pure: settings in, words out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from counterfoil.core.shop import Shop
from counterfoil.desk import words
from counterfoil.flow import map as process

# Where money can be, in the order in which it travels: code, name, and the name in a narrow place.
PLACES = (
    ("yours", "Your account", "You"),
    ("held", "Held by your bank", "Held"),
    ("processor", "The card processor", "Taken"),
    ("bank", "The shop's bank", "Shop"),
)
ROLES = {"clerk": "a clerk", "picker": "a picker", "buyer": "the buyer", "bookkeeper": "the bookkeeper"}
BY_ITSELF = "the process, by itself"
MAILS = {
    "confirmation": "We have your order",
    "promised": "The day on which it ships",
    "new_link": "Your order's page, when we put your address right",
    "purchase_order": "Our order to the supplier",
    "shipped": "On its way, with the tracking number",
    "pay_link": "The bank said no: a link to pay",
    "pay_reminder": "A reminder while your goods are kept",
    "let_go": "Your goods went back to the shelf",
    "question": "Our question, with choices, prices and dates",
    "question_withdrawn": "Our question is taken back",
    "amended": "Changed as you chose",
    "changed": "Changed as agreed",
    "delay": "The day will not hold: wait, change or cancel",
    "delay_over": "What your silence meant",
    "message": "Your message, to the shop",
    "cancelled": "Cancelled",
    "refunded": "Your money is on its way back",
}
PAPERS = {**words.DOCUMENTS, "purchase-order": "Purchase order", "count-sheet": "Count sheet"}
AXES: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "stock": words.STOCK,
    "money": words.MONEY,
    "parcel": words.PARCEL,
    "books": words.BOOKS,
}


@dataclass(frozen=True)
class Told:
    """A step, or something that may come in between, with everything of the process that is told there.

    `states` are those of the axes that an order's part enters here; `money` is the place of `PLACES` where the money
    is at the end of it.
    """

    code: str
    number: int | None
    title: str
    text: str
    queues: tuple[str, ...] = ()
    mails: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    states: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    note: str = ""
    money: str = "yours"
    money_text: str = ""

    @property
    def status(self) -> tuple[str, str, str] | None:
        """What the customer's page shows: colour, glyph, word."""
        return words.STATUS[self.statuses[0]] if self.statuses else None

    @staticmethod
    def said(status: str) -> tuple[str, str, str]:
        """The words of a status on the customer's page."""
        return words.STATUS[status]

    @property
    def stops(self) -> list[words.Queue]:
        """The queues of the desk, with the shop's words for them."""
        return [words.QUEUES[code] for code in self.queues if code in words.QUEUES]


def acts_of(queues: Iterable[str], by_hand: Mapping[str, bool]) -> tuple[str, ...]:
    """Who acts in these queues: the roles of the queues' actions, and the process itself where no button is wanted."""
    found: list[str] = []
    for code in queues:
        action = process.QUEUES[code].action
        if not by_hand.get(action, True):
            found.append(BY_ITSELF)
            continue
        found += [ROLES[role] for role in words.WHOSE.get(action, ())]
    return tuple(dict.fromkeys(found))


def days(count: int) -> str:
    return "one business day" if count == 1 else f"{count} business days"


def charge_rule(settings: Shop) -> str:
    """When the card is charged, in one sentence of the shop's settings."""
    if settings.charge_on == "packed":
        return "Your card is charged when your box is packed."
    if settings.charge_on == "shipped":
        return "Your card is charged at the moment your parcel is handed to the carrier."
    if settings.charge_within_days == 0:
        return "Your card is charged when everything on your order lies on our shelf."
    return (
        "Your card is charged when everything on your order is on our shelf, or will be within "
        f"{days(settings.charge_within_days)} on a date that the supplier has confirmed."
    )


def charge_moment(settings: Shop) -> str:
    """The same in a few words, over a column."""
    return {"packed": "When it is packed", "shipped": "As it ships"}.get(settings.charge_on, "When the goods are sure")


def steps(settings: Shop) -> list[Told]:
    """The way of an ordinary order, in the order in which this shop goes it."""
    held = settings.card_at_checkout == "authorise"
    before = "held" if held else "yours"
    waits = (
        "Your bank keeps the amount aside. It is still yours, and comes free by itself if we do not take it."
        if held
        else "Your card is saved. Nothing has been taken, and nothing is held."
    )
    by_hand = {
        "make_sales_order": settings.sales_order_by_hand,
        "check_stock": settings.stock_check_by_hand,
    }

    def told(code: str, number: int, title: str, text: str, queues: tuple[str, ...] = (), **more: object) -> Told:
        given: dict[str, object] = {"money": before, "money_text": waits, "who": acts_of(queues, by_hand), **more}
        return Told(code, number, title, text, queues, **given)  # type: ignore[arg-type]

    charge = told(
        "charge", 5, "The card is charged", _charge_text(settings), ("charge", "charged_waiting"),
        papers=("card-receipt",), statuses=("processing",),
        states={"money": ("charging", "charged")}, money="processor",
        money_text="Your bank has paid. The money lies with the card processor, on the shop's account there.",
    )  # fmt: skip
    pack = told(
        "pack", 6, "Picked and packed",
        "Each bottle is fetched from its bin and checked, then packed with your copy of the sales order and the card "
        "receipt." if settings.charge_on == "confirmed" else
        "Each bottle is fetched from its bin and checked, then packed with your copy of the sales order.",
        ("pick", "pack"), papers=("pick-list", "packing-slip"), statuses=("processing",),
        states={"parcel": ("waiting", "picking", "picked", "packed")},
    )  # fmt: skip
    way = [
        told(
            "checkout", 0, "You check out",
            "You say where it goes, how it travels and, if it matters, by when you need it. Your card is entered on "
            "the card processor's own page: we never see its number. While you type, your bottles are kept for "
            f"{int(process.CHECKOUT_LASTS.total_seconds() // 60)} minutes.",
            ("unfinished",), who=("you",), statuses=("unfinished",),
            states={"money": ("unpaid", "saved", "authorised") if held else ("unpaid", "saved")},
        ),
        told(
            "arrives", 1, "The order arrives", "It stands at the desk, unread, and you get a mail at once.",
            mails=("confirmation",), statuses=("pending",), who=(BY_ITSELF,),
        ),
        told(
            "review", 2, "A person reads it",
            "Somebody at the desk prints your order and reads it: the address, the note, anything odd. They give it "
            "an estimated ship date.",
            ("review",), mails=("promised",), papers=("web-order",), statuses=("processing",),
        ),
        told(
            "books", 3, "It goes into the books",
            "A sales order is made in two copies. Yours travels with the goods; the file copy stays with the printed "
            "web order.",
            ("sales_order",), papers=("sales-order", "sales-order-copy"), statuses=("processing",),
            states={"books": ("none", "sales_order")},
        ),
        told(
            "stock", 4, "The goods are made sure of",
            "Every line is kept for you on the shelf. What is missing is bought in from its supplier, and kept for you "
            "when it comes.",
            ("stock", "goods"), mails=("purchase_order",), papers=("purchase-order", "count-sheet"),
            statuses=("processing",), states={"stock": ("unchecked", "short", "awaiting", "confirmed")},
        ),
    ]  # fmt: skip
    parcel = [
        told(
            "ship", 7, "Handed to the carrier", _ship_text(settings), ("ship",), mails=("shipped",),
            statuses=("shipped",), states={"parcel": ("shipped",)},
        ),
        told(
            "way", 7, "At your door",
            "You follow the parcel on the carrier's page. When it has arrived, that is written down, too.",
            ("transit",), who=("the carrier", "a picker"), statuses=("delivered",), states={"parcel": ("delivered",)},
        ),
        told(
            "filed", 8, "Invoiced and filed",
            "With the parcel under way the sales order became an invoice. It is filed, can be found for years, and is "
            "never altered. The card processor pays the money out to the shop's bank, less its fee.",
            ("done",), papers=("invoice",), who=(BY_ITSELF,), states={"books": ("invoiced",)},
            statuses=("delivered",), money="bank",
            money_text="The card processor has paid it out to the shop's bank account.",
        ),
    ]  # fmt: skip
    return _with_money([*way, *_later(settings, charge, pack, parcel)])


def _charge_text(settings: Shop) -> str:
    rest = "The bank's answer comes at once; if it says no, nothing is packed and you get a link to pay otherwise."
    if settings.charge_on == "shipped":
        rest = "If the bank says no, the parcel stays here and you get a link to pay otherwise."
    return f"{charge_rule(settings)} {rest}"


def _ship_text(settings: Shop) -> str:
    text = "The carrier takes the parcel. You get a mail with the tracking number and a link to the carrier's page."
    return f"The bank is asked, then the label is scanned. {text}" if settings.charge_on == "shipped" else text


def _later(settings: Shop, charge: Told, pack: Told, parcel: list[Told]) -> list[Told]:
    """The card is charged before the goods are touched, or once they are packed: as the shop has set it."""
    return [charge, pack, *parcel] if settings.charge_on == "confirmed" else [pack, charge, *parcel]


def _with_money(way: list[Told]) -> list[Told]:
    """Once the money has been taken, it stays taken: every later step says so until it is paid out. What has not moved
    since the step before is said in fewer words."""
    taken = False
    out: list[Told] = []
    for one in way:
        if taken and one.money not in {"processor", "bank"}:
            one = replace(one, money="processor", money_text="Paid. It lies with the card processor.")
        elif out and out[-1].money == one.money:
            one = replace(one, money_text="Still held, not taken." if one.money == "held" else "Nothing taken yet.")
        taken = taken or one.money == "processor"
        out.append(one)
    return out


def between(settings: Shop) -> list[Told]:
    """What may come in between: each needs a person out of turn, and nothing changes behind the customer's back."""
    held = settings.card_at_checkout == "authorise"
    return [
        Told(
            "question", None, "Something cannot be had as ordered",
            "You are asked, by mail or telephone: another vintage, faster delivery, part now and part later, a later "
            "date, or cancel; each with its price and date. Nothing changes until you say yes.",
            ("question",), mails=("question", "question_withdrawn", "amended", "changed"),
            statuses=("waiting_for_customer",), who=("you",),
            money_text="A charge waits for your answer.",
        ),
        Told(
            "promise", None, "The ship date will not hold",
            "You are told before the day, with a new date: wait, change or cancel. Somebody calls if you need it "
            "sooner than we can ship.",
            ("promise", "call"), mails=("delay", "delay_over"), who=acts_of(("promise",), {}),
            money_text="No charge that was not made yet is made without goods that come in time.",
        ),
        Told(
            "word", None, "You want to say something",
            "Write from your order's page. It stands on the order's timeline and in the shop's mail; a person answers. "
            "Was your e-mail address misspelt, the right one gets a new link to that page.",
            mails=("message", "new_link"), who=("you",), money_text="Nothing moves for it.",
        ),
        Told(
            "payment", None, "Your bank says no",
            f"You get a link at which any card will do, and reminders. Your goods are kept for {settings.grace_days} "
            "days; then they are anybody's again, and the order waits.",
            ("payment_problem",), mails=("pay_link", "pay_reminder", "let_go"),
            who=acts_of(("payment_problem",), {}), states={"money": ("declined", "unknown")},
            note="When the bank has not answered at all, it is asked what became of the charge. Nobody tries blindly "
            "again.",
            money_text="Nothing was taken.",
        ),
        Told(
            "cover", None, "Paid for, and then something breaks",
            f"You are asked at once. Without an answer within {days(settings.cannot_ship_days)}, everything goes back.",
            ("cannot_ship",), who=acts_of(("cannot_ship",), {}),
            money_text="Taken, and yours to have back.",
        ),
        Told(
            "cancelled", None, "Cancelled, or sent back",
            "An order can be called off until it has shipped. What was paid goes back by itself; what was held is let "
            "go. Goods that come back are looked at, then credited.",
            ("cancelled",), mails=("cancelled", "refunded"), papers=("credit-note",),
            statuses=("cancelled", "returned"), who=("you", "a clerk"),
            states={"money": ("voided",), "parcel": ("returned",), "books": ("credited",)},
            money_text="Back on its way to your account.",
        ),
        Told(
            "otherwise", None, "Paid without a card here",
            "At the shop's terminal, by cheque or at the door: the same way, but what was paid is written down by a "
            "person. Paid at the door, the parcel leaves first.",
            who=("a clerk",), states={"money": ("receivable",) if held else ("authorised", "receivable")},
            note="" if held else "Some shops have the bank hold the amount at check-out. This one does not.",
            money_text="Yours until you hand it over.",
        ),
        Told(
            "differs", None, "The bank says otherwise",
            "Every night our books are compared with the card processor's, charge by charge. A difference, or a charge "
            "that you dispute, is a person's to settle, with the papers at hand.",
            ("bank_differs",), papers=("evidence",), who=acts_of(("bank_differs",), {}),
            money_text="In question, and named so in the books.",
        ),
    ]  # fmt: skip

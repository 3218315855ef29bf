"""The shop's words for states, queues, steps and money: never codes on a screen."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.desk import keys

# For the templates, which know the shop's words.
ACT, KEYS = keys.ACT, keys.KEYS


@dataclass(frozen=True)
class Queue:
    """One stop of the rail. `mark` is the process's own step number, or a glyph; `counted` costs an index range."""

    code: str
    name: str
    mark: str
    hint: str
    step: int
    counted: bool = True


PROCESS = (
    Queue("review", "Review", "2", "read it, give a date", 2),
    Queue("sales_order", "Sales order", "3", "enter it in the books, in two copies", 3),
    Queue("stock", "Stock to buy", "4", "something is missing and not on order", 4),
    Queue("goods", "Waiting for goods", "4", "on order at a supplier", 4),
    Queue("charge", "Ready to charge", "5", "every line in stock, or due in time", 5),
    Queue("charged_waiting", "Charged, goods due", "5", "paid; the goods arrive on a confirmed date", 5),
    Queue("pick", "Pick", "6", "paid and in stock: fetch it", 6),
    Queue("pack", "Pack", "6", "papers enclosed", 6),
    Queue("ship", "Ship", "7", "hand it to the carrier", 7),
    Queue("transit", "On its way", "7", "with the carrier", 7),
    Queue("done", "Filed", "8", "delivered, invoiced, filed", 8, counted=False),
)
ATTENTION = (
    Queue("payment_problem", "Payment problem", "!", "the bank said no, or has not answered", 5),
    Queue("cannot_ship", "Charged, cannot ship", "!", "paid for, and something is missing", 6),
    Queue("question", "Customer's answer", "?", "we asked; nothing changes until they say yes", 4),
    Queue("call", "To call", "☏", "their day cannot be met, or our question waits on the telephone", 4),
    Queue("promise", "Promise at risk", "◷", "the promised date will not hold", 4),
    Queue("bank_differs", "Bank differs", "≠", "our books and the bank's disagree, or a customer disputes a charge", 5),
)
ASIDE = (
    Queue("unfinished", "Unfinished check-outs", "…", "the card has not been entered", 1),
    Queue("cancelled", "Cancelled", "✕", "called off", 8, counted=False),
)
QUEUES = {q.code: q for q in (*PROCESS, *ATTENTION, *ASIDE)}
# Where /desk/ goes first: what is late or stuck before what is next in the process.
FIRST = ("payment_problem", "cannot_ship", "promise", "call", "review", "charge", "pick", "pack", "ship", "stock",
         "sales_order", "bank_differs", "question", "goods", "charged_waiting", "transit", "unfinished")  # fmt: skip

# status -> (colour, glyph, word)
STATUS = {
    "unfinished": ("", "…", "Check-out not finished"),
    "pending": ("wine", "●", "Pending"),
    "processing": ("info", "◔", "Processing"),
    "waiting_for_customer": ("warn", "?", "Waiting for your answer"),
    "shipped": ("ok", "➤", "Shipped"),
    "delivered": ("ok", "✓", "Delivered"),
    "returned": ("", "↩", "Returned"),
    "cancelled": ("", "✕", "Cancelled"),
}
DESK_STATUS = {**STATUS, "waiting_for_customer": ("warn", "?", "Waiting for the customer")}

MONEY = {
    "unpaid": ("", "○", "not paid"),
    "saved": ("info", "▭", "card saved, not charged"),
    "authorised": ("info", "◔", "card approved, not charged"),
    "charging": ("warn", "◔", "asking the bank"),
    "unknown": ("warn", "?", "the bank has not answered"),
    "charged": ("ok", "✓", "charged"),
    "declined": ("bad", "✕", "the bank said no"),
    "receivable": ("info", "◷", "to be paid on delivery"),
    "voided": ("", "✕", "nothing was charged"),
}
STOCK = {
    "unchecked": ("", "○", "stock not checked"),
    "short": ("bad", "!", "something is missing"),
    "awaiting": ("info", "◷", "on order"),
    "confirmed": ("ok", "✓", "all in stock"),
}
PARCEL = {
    "waiting": ("", "○", "not picked yet"),
    "picking": ("info", "◔", "being picked"),
    "picked": ("info", "◑", "picked"),
    "packed": ("info", "◕", "packed"),
    "shipped": ("ok", "➤", "shipped"),
    "delivered": ("ok", "✓", "delivered"),
    "returned": ("", "↩", "came back"),
}
BOOKS = {
    "none": ("", "○", "not in the books"),
    "sales_order": ("info", "▤", "sales order"),
    "invoiced": ("ok", "✓", "invoiced and filed"),
    "credited": ("", "↩", "credited"),
}
METHODS = {
    "card": "card",
    "terminal": "card at the terminal",
    "cheque": "cheque",
    "on_delivery": "cash on delivery",
}
# What a clerk holds of money paid in hand, and what it usually is for a way to pay.
SLIPS = {"card": "card slip", "cheque": "cheque", "transfer": "transfer", "cash": "cash"}
HELD = {"terminal": "card", "cheque": "cheque"}
DOCUMENTS = {
    "web-order": "Web order",
    "sales-order": "Sales order, customer's copy",
    "sales-order-copy": "Sales order, file copy",
    "card-receipt": "Card receipt",
    "pick-list": "Pick list",
    "packing-slip": "Packing slip",
    "invoice": "Invoice",
    "credit-note": "Credit note",
    "evidence": "Evidence pack",
}
# What a customer may open.
CUSTOMER_DOCUMENTS = {
    "web-order": "Your order",
    "sales-order": "Order confirmation",
    "card-receipt": "Card receipt",
    "invoice": "Invoice",
    "credit-note": "Credit note",
}
# What the bank says of a dispute
DISPUTE = {
    "open": ("bad", "!", "wants our answer"),
    "answered": ("info", "◷", "deciding"),
    "won": ("ok", "✓", "decided for us"),
    "lost": ("", "✕", "decided for the customer"),
    "closed": ("", "✓", "asks no further"),
}
PAYOUT = {
    "under_way": ("info", "◷", "on its way"),
    "paid": ("ok", "✓", "paid"),
    "failed": ("bad", "✕", "came back"),
    "cancelled": ("", "✕", "called off"),
}
MOVEMENTS = {
    "charge": "charge",
    "refund": "refund",
    "refund_failed": "refund that came back",
    "dispute": "taken back in a dispute",
    "dispute_reversed": "dispute won",
    "payout_failed": "payout that came back",
    "fee": "fee",
    "other": "something else",
}
CHOICES = {
    "substitute": "another wine instead",
    "expedite": "faster delivery",
    "split": "part now, the rest later",
    "later_date": "a later date",
    "cancel": "cancel",
    "as_is": "ship it as it is (waive the weather)",
}
CONTACTS = {
    "call:in": "the customer called",
    "call:out": "we called",
    "mail:in": "mail from the customer",
    "mail:out": "we wrote",
    "visit:in": "came to the shop",
    "note:": "a note of ours",
}
# What the timeline can be narrowed to: the beginnings of the kinds that belong there.
TIMELINES = {
    "contacts": ("Contacts", ("contact_", "customer_", "mail_sent", "proposal_", "answer_")),
    "money": (
        "Money",
        ("card", "charge", "payment", "pay_link", "refund", "authorisation", "dispute", "bank", "hold_of"),
    ),
    "changes": (
        "Changes",
        (
            "order_amended",
            "parts_merged",
            "order_cancelled",
            "promise",
            "needed_by",
            "sales_order_reissued",
            "details_",
        ),
    ),
}
CONSENT = {
    "telephone": "on the telephone",
    "mail": "by mail",
    "in_person": "in person",
    "not_needed": "not needed: it only costs them less",
}
GATES = {
    "review": "May we approve?",
    "make_sales_order": "May we enter it in the books?",
    "check_stock": "May we check the stock?",
    "charge": "May we charge?",
    "record_payment": "May we record the payment?",
    "pick": "May we pick?",
    "pack": "May we pack?",
    "ship": "May we ship?",
    "deliver": "May we note its arrival?",
}
# The beginning of a journal kind -> the glyph on the timeline.
GLYPHS = (
    ("order_placed", "⌂"), ("checkout", "⌂"), ("order_approved", "●"), ("hold", "‖"), ("sales_order", "▤"),
    ("stock", "▣"), ("reserved", "▣"), ("goods", "▣"), ("purchase", "▣"), ("card", "▭"), ("charge", "$"),
    ("payment", "$"), ("bank", "≠"), ("dispute", "≠"), ("refund", "↩"), ("pick", "◑"), ("pack", "◕"), ("ship", "➤"),
    ("deliver", "✓"), ("invoice", "▤"), ("credit", "▤"), ("proposal", "?"), ("question", "?"), ("answer", "?"),
    ("cover", "!"), ("order_cancelled", "✕"), ("delay", "◷"), ("promise_lapsed", "✕"), ("mail", "✉"),
    ("customer_told", "☏"),
    ("customer_called", "☏"), ("contact_call", "☏"), ("contact_", "✎"), ("customer_", "✎"), ("needed_by", "◷"),
    ("order_amended", "±"), ("details_", "✎"), ("parts_merged", "±"), ("authorisation", "◔"), ("pay_link", "✉"),
    ("return", "↩"), ("order_picked", "◑"), ("order_shipped", "➤"), ("order_delivered", "✓"), ("order_invoiced", "▤"),
    ("units_returned", "↩"),
)  # fmt: skip


def glyph(kind: str) -> str:
    """The glyph that stands for what happened."""
    return next((mark for start, mark in GLYPHS if kind.startswith(start)), "·")


# Whose the next action is; the owner may do all of them. The actions ask again, whatever a page shows.
WHOSE = {
    "review": ("clerk",),
    "make_sales_order": ("clerk",),
    "check_stock": ("clerk", "picker"),
    "buy_in": ("buyer",),
    "charge": ("clerk",),
    "record_payment": ("clerk",),
    "send_pay_link": ("clerk",),
    "ask_bank": ("clerk",),
    "pick": ("picker",),
    "pack": ("picker",),
    "ship": ("clerk", "picker"),
    "deliver": ("picker",),
    "call": ("clerk",),
    "call_later": ("clerk",),
    "renew_promise": ("clerk",),
    "offer_alternative": ("clerk",),
    "refund_again": ("clerk", "bookkeeper"),
    "look_at_bank": ("clerk", "bookkeeper"),
    "answer_dispute": ("clerk", "bookkeeper"),
    "cancel": ("clerk",),
}
ACTS_IN_WORDS = {
    "review": "read and approve it",
    "make_sales_order": "enter it as a sales order",
    "check_stock": "check the stock",
    "buy_in": "buy in what is missing",
    "charge": "charge it",
    "record_payment": "record the payment",
    "send_pay_link": "mail a link to pay",
    "ask_bank": "ask the bank",
    "call": "call the customer",
    "call_later": "ring the customer again",
    "pick": "pick it",
    "pack": "pack it",
    "ship": "ship it",
    "deliver": "note that it has arrived",
    "renew_promise": "offer a new date",
    "offer_alternative": "ask the customer",
    "refund_again": "try the refund again",
    "look_at_bank": "settle what the bank has otherwise",
    "answer_dispute": "answer the bank",
    "cancel": "cancel it",
}

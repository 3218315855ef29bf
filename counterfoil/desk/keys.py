"""The keys of the desk: one for every act, and the list of all of them that `?` shows.

A key is one letter or digit, in upper case with Shift: what goes with Ctrl, Alt, Insert or a function key is the
browser's or a screen reader's.
"""

from __future__ import annotations

# The acts of `acts.ACTS` -> their keys, as they stand on the buttons (`data-key`). Where two share one, an order's
# next step is either the one or the other. An offer that they take on the telephone has its number.
ACT = {
    "approve": "a", "hold": "h", "release": "g", "sales-order": "m", "check-stock": "v", "charge": "c",
    "record-payment": "c", "authorise": "B", "ask-bank": "q", "pay-link": "l", "refund": "r", "refund-again": "F",
    "answer-bank": "E", "accept-loss": "L", "own-dispute": "O", "pick": "i", "pack": "w", "ship": "s", "deliver": "y",
    "return": "R", "propose": "o", "answer": "A", "withdraw": "W", "call": "y", "take-offer": "1", "remember": "K",
    "details": "Y", "needed-by": "D", "contact": "n", "cancel": "C", "amend": "e", "change-back": "U", "merge": "M",
    "break": "Q",
}  # fmt: skip
KEYS = {
    "The list": (
        ("j k", "next, previous order"), ("↵", "open the order"), ("x", "tick it; X ticks all"),
        ("a m i w", "with rows ticked: of all of them, asked first; likewise c and r"), ("G", "the whole queue"),
        ("/", "find"), ("f", "filter the list"), ("S", "show what is new"),
        ("Ctrl-K", "go to anything: queues, pages, orders, acts"),
    ),
    "The order": (
        ("a", "approve with the date shown, and on to the next; elsewhere to its next action"),
        ("d", "another date"), ("p", "print its paper"), ("P", "print what is not printed yet"),
        ("h", "hold"), ("g", "release the hold"), ("V", "show what somebody has changed"),
        ("u", "undo what has not gone out"), ("I", "seen: what was refused after its wait"), ("C", "cancel"),
    ),
    "With the customer": (
        ("o", "offer an alternative"), ("A", "enter their answer"), ("W", "withdraw our question"),
        ("e", "change the order"), ("U", "undo the last change"), ("M", "ship two parts together"),
        ("n", "write down a call or note"), ("K", "our note on the customer"), ("D", "needed by a day"),
        ("Y", "name, e-mail, telephone, gift note"), ("Z", "take the e-mail as it was meant"),
        ("R", "something came back"), ("Q", "something broke in a box"),
    ),
    "The step that is next": (
        ("m", "make the sales order"), ("v", "check the stock"), ("T N", "on the shelf: there, not there"),
        ("b", "buy in"), ("l", "mail a link to pay"), ("q", "ask the bank"), ("i", "picked"), ("w", "packed"),
        ("s", "ship: the parcel's number"), ("y", "delivered"),
    ),
    "A call": (
        ("y", "they accept the day"), ("1 to 9", "they take that offer, or that choice of our question"),
        ("z", "they take none"), ("0", "no answer: again the next working morning"), ("t", "call back at"),
    ),
    "Money, always asked first": (
        ("c", "charge, or record the payment: the ticked orders, else this one"),
        ("r", "refund: the ticked orders, else this one"), ("F", "try a refund again"),
        ("H", "a refund was paid back by hand"), ("B", "have the bank hold the amount"),
        ("E", "answer the customer's bank"), ("L", "accept the loss"), ("O", "the dispute is mine"),
    ),
}  # fmt: skip

"""When everything is quiet: what our records, the processor's ledger, the mailbox and the people say must be one story.

Pure: facts in, findings out. Each finding names its order, from which the life and its seed are known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.faults.plans import CHEAPER, OPENING, RARE, SKUS

LEFT = {"shipped", "delivered", "returned"}
# A mail's subject, after the order's number, and the events that it tells of.
MAILS = (
    ("We have your order ", ("order_placed",)),
    (" is cancelled", ("order_cancelled",)),
    (" is changed as you chose", ("order_amended",)),
    (": we need your answer", ("proposal_made",)),
    (": ships ", ("order_approved",)),
    (" is on its way back to you", ("refunds_paid",)),  # one a refund, however often it was tried
    (" is on its way", ("shipments",)),  # one a shipment, however many parts go with it
)


@dataclass
class Facts:
    """What is known at the end. `told`: what people heard, by order; `mails`: (to, subject, Message-ID)."""

    orders: list[dict[str, Any]]
    shelves: dict[str, dict[str, int]]
    jobs: list[list[str]]
    intents: list[dict[str, Any]]
    refunds: list[dict[str, Any]]
    mails: list[tuple[str, str, str]]
    told: dict[str, dict[str, Any]] = field(default_factory=dict)


Finding = tuple[str, str]  # the order's number (or nothing), what is wrong


def prove(facts: Facts) -> list[Finding]:
    """Everything that is broken."""
    found: list[Finding] = []
    intents = _by_token(facts)
    refunds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for refund in facts.refunds:
        refunds[refund["payment_intent"]].append(refund)
    mails: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for to, subject, message_id in facts.mails:
        mails[to].append((subject, message_id))
    for order in facts.orders:
        number, mine = order["number"], intents.pop(order["token"], [])
        for wrong in (
            *_captures(order, mine),
            *_refunds(order, mine, refunds),
            *_goods(order, mine),
            *_letters(order, mails[order["email"]]),
            *_told(order, facts.told.get(number, {})),
        ):
            found.append((number, wrong))
    for strangers in intents.values():
        found += [("", f"the processor took {i['amount_captured']} for no order: {i['id']}") for i in _taken(strangers)]
    found += [("", f"job {name} ({key}) is {state}: {error[-300:]}") for name, key, state, error in facts.jobs]
    found += [("", wrong) for wrong in _shelves(facts)]
    for number in set(facts.told) - {o["number"] for o in facts.orders}:
        found.append((number, "the customer was told a number that we do not know"))
    return found


def _by_token(facts: Facts) -> dict[str, list[dict[str, Any]]]:
    """The processor's charges by the token of the order that their own metadata name."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for intent in facts.intents:
        marks = intent["metadata"]
        key = marks.get("charge") or marks.get("link") or ""
        found[key.partition("-")[2][:20]].append(intent)
    return found


def _taken(intents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [i for i in intents if i["amount_captured"]]


def _captures(order: dict[str, Any], intents: list[dict[str, Any]]) -> list[str]:
    """One success at the processor for each logical capture, and each is ours with the same amount."""
    found = []
    theirs = {i["id"]: i["amount_captured"] for i in _taken(intents)}
    ours = Counter[str]()
    amounts: dict[str, int] = {}
    for part in order["parts"]:
        for charge in part["charges"]:
            if charge["state"] == "succeeded" and charge["amount"]:
                ours[charge["intent"]] += 1
                amounts[charge["intent"]] = charge["amount"]
            elif charge["state"] in {"intended", "created", "confirming", "held", "capturing"}:
                found.append(f"a charge is still {charge['state']}")
    found += [f"{intent} was booked {times} times" for intent, times in ours.items() if times > 1]
    if amounts != theirs:
        found.append(f"captured here {amounts}, at the processor {theirs}")
    keys = Counter(_key(i) for i in _taken(intents))
    found += [f"{times} successes for the one charge {key}" for key, times in keys.items() if times > 1]
    found += [f"the bank still holds {i['amount']}: {i['id']}" for i in intents if i["status"] == "requires_capture"]
    # What a part costs more than was held for it is taken by a second capture, meant as such; and so is the rest of
    # one that was paid at the bank's page in the moment in which a change made it dearer. `_refunds` has the sums.
    wanted = len(order["parts"]) + sum(bool(c.get("supplement")) for p in order["parts"] for c in p["charges"])
    wanted += int(order["happened"].get("order_amended", 0))
    kept = [i for i in _taken(intents) if i["amount_captured"] > i["amount_refunded"]]
    if len(kept) > wanted:
        found.append(f"{len(kept)} captures were kept for {len(order['parts'])} parts")
    return found


def _key(intent: dict[str, Any]) -> str:
    return str(intent["metadata"].get("charge") or intent["metadata"].get("link"))


def _refunds(
    order: dict[str, Any], intents: list[dict[str, Any]], refunds: dict[str, list[dict[str, Any]]]
) -> list[str]:
    """One payment at the processor for each refund of ours, of the same amount; a cancelled order keeps nothing."""
    found = []
    theirs: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for intent in intents:
        for refund in refunds.get(intent["id"], []):
            if refund["status"] != "failed":
                theirs[str(refund["metadata"].get("refund"))].append((refund["id"], refund["amount"]))
    by_hand = 0
    for part in order["parts"]:
        if part["owed"]:
            found.append(f"{part['owed']} is still owed to the customer")
        if part["charged"] - part["refunded"] > part["total"]:
            found.append(f"we keep {part['charged'] - part['refunded']} of a part that costs {part['total']}")
        for refund in part["refunds"]:
            paid = theirs.pop(refund["key"], [])
            if refund["id"] == "by hand":
                by_hand += refund["amount"]
                wanted = []
            else:
                wanted = [(refund["id"], refund["amount"])] if refund["state"] == "succeeded" else []
            if paid != wanted:
                found.append(f"refund {refund['key']} is {wanted} here, {paid} at the processor")
    found += [f"the processor paid {paid} back for {key}, which is no refund of ours" for key, paid in theirs.items()]
    kept = sum(i["amount_captured"] - i["amount_refunded"] for i in intents) - by_hand
    here = sum(p["charged"] - p["refunded"] for p in order["parts"])
    if kept != here:
        found.append(f"we keep {here} by our books, {kept} at the processor")
    if order["cancelled"] and kept:
        found.append(f"cancelled, and {kept} was kept")
    return found


def _goods(order: dict[str, Any], intents: list[dict[str, Any]]) -> list[str]:
    """Nothing leaves without money, and nothing leaves for a cancelled order."""
    gone = [p for p in order["parts"] if p["parcel"] in LEFT]
    due = sum(p["total"] for p in gone)
    captured = sum(i["amount_captured"] for i in intents)
    found = [f"shipped for {due} with {captured} captured at the processor"] if captured < due else []
    if order["cancelled"] and (gone or any(order["shipped"].values())):
        found.append("cancelled, and shipped all the same")
    return found


def _letters(order: dict[str, Any], mails: list[tuple[str, str]]) -> list[str]:
    """Each event was told under one Message-ID, however often; none was kept from the customer."""
    found = []
    told: Counter[str] = Counter()
    for subject, _ in dict.fromkeys(mails):
        told[next((words for words, _ in MAILS if words in subject), "other")] += 1
    for words, events in MAILS:
        wanted = sum(order["happened"].get(event, 0) for event in events)
        if told[words] != wanted:
            found.append(f"{told[words]} mails of the kind '{words.strip()}' for {wanted} events")
    return found


def _told(order: dict[str, Any], told: dict[str, Any]) -> list[str]:
    """What somebody was told is so."""
    happened, parts = order["happened"], order["parts"]
    so = {
        "approved": happened.get("order_approved", 0) == 1,
        "charged": any(p["charged"] for p in parts),
        "cancelled": order["cancelled"],
        "refunded": bool(sum(len(p["refunds"]) for p in parts)),
        "picked": bool(happened.get("order_picked")) or bool(happened.get("units_picked")),
        "packed": bool(happened.get("package_packed")),
        "shipped": any(p["parcel"] in LEFT for p in parts),
        "delivered": any(p["parcel"] in {"delivered", "returned"} for p in parts),
        "held": bool(happened.get("hold_placed")),
    }
    return [f"somebody was told '{what}', and it is not so" for what in told if not so.get(what, True)]


def _shelves(facts: Facts) -> list[str]:
    """Every bottle is on the shelf or with a customer."""
    found = []
    gone: Counter[str] = Counter()
    for order in facts.orders:
        gone.update(order["shipped"])
    for sku in (*SKUS, CHEAPER, RARE):
        shelf = facts.shelves[sku]
        left = (0 if sku == RARE else OPENING) - gone[sku]
        if (shelf["on_hand"], shelf["reserved"], shelf["picked"]) != (left, 0, 0):
            found.append(f"{sku}: {left} should lie on the shelf and nothing be kept for anybody; there is {shelf}")
    return found

"""Every door that writes: its address, a body that it would accept, and the order (or so) that it would act on."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from counterfoil.core import clock
from tests.doors.build import Desk, soon
from tests.support import order_body, product

Json = dict[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Door:
    """`open` prepares the shop and gives address and body; `bare` says that the body may be left out."""

    open: Callable[[Desk], tuple[str, Json]]
    bare: bool = False


def _on(state: Callable[[Desk], str], act: str, body: Callable[[Desk], Json]) -> Callable[[Desk], tuple[str, Json]]:
    return lambda desk: (f"/orders/{state(desk)}/{act}", body(desk))


def _product(_: Desk) -> tuple[str, Json]:
    family = {"producer": "Aldous", "name": "Riesling", "vintage": 2019, "size": "0.75 l"}
    return "/products", {
        "sku": "RIES-19", "name": "Riesling", "price": 1800, "currency": "USD", "tax_class": "standard",
        "weight_g": 1300, "supplier": "Northfold", "cost": 900, "lead_time_days": 4, "sell_when_out": "stop",
        "age_restricted": True, "family": family, "bin": "A-1", "description": "dry", "barcode": "4006381333931",
    }  # fmt: skip


def _order(_: Desk) -> tuple[str, Json]:
    body = order_body(("PINOT-21", 2), card="pm_card_visa")
    body["billing_address"] = dict(body["shipping_address"])
    body["customer"]["phone"] = "+1 707 555 0123"
    return "/orders", {
        **body, "placed_at": "2026-01-02T03:04:05Z", "tax": 100, "total": 6600, "needed_by": soon(5),
        "gift_message": "To many more", "comment": "Ring twice",
    }  # fmt: skip


def _answer(desk: Desk) -> tuple[str, Json]:
    return f"/proposals/{desk.asked()[1]}/answer", {"choice": 0}


def _cheque(desk: Desk) -> str:
    return desk.approved(payment={"method": "cheque"})


def _short(desk: Desk) -> str:
    return desk.placed("SYRAH-19", 3)


def _in_a_box(desk: Desk) -> tuple[str, Json]:
    number = desk.packed()
    box = desk.api.order(number)["packages"][0]["id"]
    return f"/orders/{number}/breakages", {"lines": [PINOT], "package": box}


CONSENT = {"how": "telephone", "who": "June Harper", "note": "called us", "at": "2026-01-02T03:04:05Z"}
ADDRESS = {
    "name": "June Harper", "street": "2 Mill Lane", "city": "Sonoma", "postcode": "95476", "state": "CA",
    "country": "US",
}  # fmt: skip
_slips = itertools.count(1)  # one slip is money of one order
SLIP = {"amount": 6500, "kind": "cheque", "brand": "v", "last4": "4242"}
PINOT = {"sku": "PINOT-21", "quantity": 1}
_others = itertools.count(1)


def _reservation(desk: Desk) -> tuple[str, Json]:
    """One order has all there is of a wine, another waits for it."""
    sku = f"RARE-{next(_others)}"
    product(desk.api, sku, stock=2)
    first, second = desk.placed(sku, 2), desk.placed(sku, 1)
    return f"/orders/{second}/reservations", {"from_order": first, "sku": sku, "quantity": 1, "reason": "a wedding"}


def _aside(desk: Desk) -> Json:
    desk.api.done("/stock/damages", {"sku": "PINOT-21", "quantity": 2, "reason": "corked", "bin": ""})
    return {"sku": "PINOT-21", "quantity": 1, "reason": "looked at", "lot": "", "bin": ""}


def _transfer(desk: Desk) -> tuple[str, Json]:
    desk.api.done("/stock", {"sku": "PINOT-21", "quantity": 2, "reason": "found", "lot": "L1", "bin": "A-2"})
    move = {"sku": "PINOT-21", "quantity": 1, "bin": "A-2", "to_bin": "A-3", "lot": "L1", "set_aside": False}
    return "/stock/transfers", {**move, "reason": "tidied"}


DOORS: dict[str, Door] = {
    "products": Door(_product),
    "suppliers": Door(
        lambda _: (
            "/suppliers",
            {
                "name": "Aldous",
                "email": "a@example.com",
                "lead_time_days": 3,
                "contact": "Ida",
                "phone": "+44 20 7946 0018",
                "currency": "GBP",
                "minimum": 10000,
                "cut_off": "14:00",
                "order_days": [0, 3],
            },
        )
    ),
    "stock": Door(
        lambda _: ("/stock", {"sku": "PINOT-21", "quantity": 3, "reason": "found", "lot": "L1", "bin": "A-2"})
    ),
    "transfers": Door(_transfer),
    "releases": Door(lambda desk: ("/stock/releases", _aside(desk))),
    "write-offs": Door(lambda desk: ("/stock/write-offs", _aside(desk))),
    "damages": Door(
        lambda _: (
            "/stock/damages",
            {"sku": "PINOT-21", "quantity": 1, "reason": "fell", "lot": "", "bin": "", "write_off": True},
        )
    ),
    "reservations": Door(_reservation),
    "counts": Door(lambda _: ("/counts", {"skus": ["PINOT-21"], "blind": True})),
    "counted": Door(
        lambda desk: (
            f"/counts/{desk.count_sheet()}/lines",
            {"lines": [{"sku": "PINOT-21", "counted": 49, "bin": "", "lot": "", "take_in": False}]},
        )
    ),
    "applied": Door(lambda desk: (f"/counts/{desk.count_sheet(49)}/application", {"reason": "one broke"})),
    "orders": Door(_order),
    "approval": Door(_on(Desk.placed, "approval", lambda _: {"ship_estimate": soon()})),
    "holds": Door(_on(Desk.placed, "holds", lambda _: {"reason": "address looks odd", "kind": "weather"})),
    "customer": Door(
        _on(
            Desk.placed,
            "customer",
            lambda _: {
                "name": "June Harper",
                "email": "june@example.com",
                "phone": "+1 503 555 0107",
                "gift_message": "Cheers",
            },
        ),
    ),
    "stock-check": Door(
        _on(Desk.approved, "stock-check", lambda _: {"lines": [{"sku": "PINOT-21", "seen": 2}]}), bare=True
    ),
    "charge": Door(
        _on(_cheque, "charge", lambda _: {"part": 1, "reference": f"No. {next(_slips)}", **SLIP}),
        bare=True,
    ),
    "refunds": Door(_on(Desk.paid, "refunds", lambda _: {"amount": 100, "reason": "broken"})),
    "refunds by line": Door(_on(Desk.paid, "refunds", lambda _: {"lines": [PINOT], "reason": "broken"})),
    "cancellation": Door(_on(Desk.placed, "cancellation", lambda _: {"reason": "changed their mind"})),
    "proposals": Door(
        _on(
            _short,
            "proposals",
            lambda _: {
                "choices": [
                    {"kind": "substitute", "line": "SYRAH-19", "sku": "PINOT-21", "quantity": 3, "price": 2500},
                    {"kind": "later_date", "date": soon(9)},
                ],
                "message": "The 2019 is gone.",
                "expires_at": f"{soon(4)}T12:00:00Z",
            },
        )
    ),
    "answer": Door(_answer),
    "amendments": Door(
        _on(
            Desk.approved,
            "amendments",
            lambda _: {
                "changes": [
                    {"kind": "quantity", "line": "PINOT-21", "quantity": 3},
                    {"kind": "price", "line": "PINOT-21", "price": 2400},
                    {"kind": "add", "sku": "SYRAH-19", "quantity": 1, "price": 2000, "part": 1},
                    {"kind": "delivery", "method": "Express", "price": 3000},
                ],
                "consent": CONSENT,
            },
        )
    ),
    "an address amended": Door(
        _on(
            Desk.approved,
            "amendments",
            lambda _: {"changes": [{"kind": "address", "address": ADDRESS}], "consent": CONSENT},
        )
    ),
    "undo": Door(lambda desk: (f"/orders/{desk.amended()}/amendments/1/undo", {"consent": CONSENT})),
    "merges": Door(_on(Desk.divided, "merges", lambda _: {"part": 2, "into": 1, "consent": CONSENT})),
    "contacts": Door(
        _on(
            Desk.shipped,
            "contacts",
            lambda _: {"kind": "call", "direction": "in", "spoken_to": "June Harper", "text": "asks where it is"},
        )
    ),
    "answers": Door(
        lambda desk: (f"/orders/{desk.asked()[0]}/answers", {"choice": 0, "spoken_to": "June Harper"}),
    ),
    "calls": Door(
        _on(
            Desk.late,
            "calls",
            lambda _: {
                "outcome": "call_back",
                "note": "At work",
                "spoken_to": "June Harper",
                "call_back_at": f"{soon(1)}T17:00:00Z",
            },
        )
    ),
    "picks": Door(_on(Desk.approved, "picks", lambda _: {"lines": [{**PINOT, "quantity": 2}], "part": 1}), bare=True),
    "packages": Door(_on(Desk.picked, "packages", lambda _: {"lines": [PINOT], "weight_g": 900, "part": 1}), bare=True),
    "breakages": Door(_on(Desk.picked, "breakages", lambda _: {"lines": [PINOT], "part": 1})),
    "breakages in a box": Door(_in_a_box),
    "shipments": Door(_on(Desk.packed, "shipments", lambda _: {"carrier": "UPS", "tracking_number": "1Z77"})),
    "deliveries": Door(_on(Desk.shipped, "deliveries", lambda _: {"at": clock.business_now().isoformat()}), bare=True),
    "returns": Door(
        _on(Desk.shipped, "returns", lambda _: {"lines": [PINOT], "condition": "sellable", "reason": "too sweet"})
    ),
    "purchase-orders": Door(
        lambda _: (
            "/purchase-orders",
            {
                "supplier": "Northfold",
                "lines": [{"sku": "SYRAH-19", "quantity": 6, "cost": 900}],
                "expected": soon(3),
                "note": "In wooden cases, please.",
                "draft": False,
            },
        )
    ),
    "confirmation": Door(
        lambda desk: (
            f"/purchase-orders/{desk.purchase()}/confirmation",
            {"expected": soon(2), "lines": [{"sku": "SYRAH-19", "expected": soon(2)}]},
        )
    ),
    "closure": Door(
        lambda desk: (f"/purchase-orders/{desk.purchase()}/closure", {"reason": "sold out at the grower's"})
    ),
    "goods-receipts": Door(
        lambda desk: (
            "/goods-receipts",
            {
                "purchase_order": desk.purchase(),
                "lines": [{"sku": "SYRAH-19", "received": 6, "damaged": 1, "note": "wet box"}],
            },
        )
    ),
}


def leaves(body: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value in a body that is no container, with its place."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*at, name))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from leaves(value, (*at, index))
    else:
        yield at, body


def changed(body: Json, at: Place, value: Any) -> Json:
    """The body with another value at that place."""
    made: Any = copy.deepcopy(body)
    inside = made
    for step in at[:-1]:
        inside = inside[step]
    inside[at[-1]] = value
    return dict(made)


def put(body: Json, at: Place, value: Any) -> Json:
    """The body with a text at that place, which is made where it is missing."""
    made: Any = copy.deepcopy(body)
    inside = made
    for step, after in zip(at, [*at[1:], None], strict=True):
        new: Any = value if after is None else [] if isinstance(after, int) else {}
        if isinstance(step, int):
            if len(inside) <= step:
                inside.append(new)
        elif after is None or not inside.get(step):
            inside[step] = new
        if after is None:
            inside[step] = value
        inside = inside[step]
    return dict(made)


def named(at: Place) -> str:
    """A place as an error names it: `lines.0.sku`."""
    return ".".join(str(step) for step in at)

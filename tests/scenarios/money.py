"""One number in many places: what the order says, the bank took, the books hold and the papers print."""

from __future__ import annotations

from typing import Any

from counterfoil.core.money import show
from counterfoil.core.papers.tests.reading import text as text_of_pdf
from counterfoil.core.shop import shop
from counterfoil.flow.verify import judge_all
from counterfoil.records.books.models import Posting
from counterfoil.steps.charging.tests.build import at_the_bank, later
from tests.support import Api, order_body, settle


def placed(api: Api, currency: str, lines: list[tuple[str, int, int]], *, shipping: int, **more: Any) -> Any:
    """An order of (SKU, units, price of one) in a currency, its card saved."""
    body = order_body(*[(sku, units) for sku, units, _ in lines], currency=currency, **more)
    for line, (_, _, price) in zip(body["lines"], lines, strict=True):
        line["unit_price"] = price
    body["shipping"]["price"] = shipping
    made = api.done("/orders", body)
    settle()
    return made


def charged(api: Api, number: str) -> Any:
    """The order reviewed and its card charged."""
    api.done(f"/orders/{number}/approval", {"ship_estimate": shop().today().isoformat()})
    return api.done(f"/orders/{number}/charge", {})


def shipped(api: Api, number: str) -> Any:
    """The order packed, handed to the carrier and invoiced."""
    api.done(f"/orders/{number}/picks", {})
    api.done(f"/orders/{number}/packages", {"weight_g": 900})
    api.done(f"/orders/{number}/shipments", {"carrier": "UPS", "tracking_number": f"1Z{number}"})
    settle()
    return api.order(number)


def refunded(api: Api, number: str, **wanted: Any) -> Any:
    """A refund that has reached the customer."""
    made = api.done(f"/orders/{number}/refunds", {"reason": "corked", **wanted})
    settle()
    return made


def paper(api: Api, number: str, kind: str) -> str:
    """What is printed on the newest paper of a kind."""
    found = api.get(f"/orders/{number}/documents/{kind}.pdf")
    assert found.status == 200, (kind, found.body)
    return text_of_pdf(found.body)


def prints(text: str, amount: int, currency: str) -> bool:
    """Whether an amount stands on a paper, whole: not as the end of a longer number."""
    wanted = show(amount, currency)
    return f" {wanted} " in f" {text} " or f" {wanted}," in f" {text}"


def books(number: str) -> dict[str, int]:
    """What the entries of an order add up to on each account, in its own currency; what is zero is left out.

    The processor's fee, which is booked whenever it is fetched, counts as if it were still there.
    """
    sums: dict[str, int] = {}
    for account, amount in (
        Posting.objects.filter(entry__subject=number)
        .exclude(account__in=["inventory", "cost_of_goods"])
        .values_list("account", "amount")
    ):
        account = "card_clearing" if account == "card_fees" else account
        sums[account] = sums.get(account, 0) + amount
    return {account: amount for account, amount in sums.items() if amount}


def bank(card: str, number: str) -> tuple[int, int]:
    """Captured and refunded of an order, as the processor has it."""
    found = at_the_bank(card, number)
    return sum(taken for taken, _ in found), sum(back for _, back in found)


def all_is_well() -> None:
    later()
    assert judge_all() == []

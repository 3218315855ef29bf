"""A made-up order, with which the owner sees what a mail looks like."""

from __future__ import annotations

from typing import Any

from counterfoil.core.money import show
from counterfoil.core.shop import Shop

NUMBER = "CF-1042"


def sample(kind: str, shop: Shop, base_url: str) -> dict[str, Any]:
    """Everything that any mail to a customer may say, of an order that never was."""
    cents = [show(amount, shop.currency) for amount in (4800, 2400, 1500, 8700)]
    return {
        "subject": SUBJECTS.get(kind, f"{NUMBER}: about your order"),
        "number": NUMBER, "name": "June Harper", "total": cents[3], "shop": shop.name, "shop_email": shop.email,
        "url": f"{base_url}/orders/a-made-up-order",
        "lines": [
            {"quantity": 2, "name": "Hill House Pinot Noir 2021", "amount": cents[0]},
            {"quantity": 1, "name": "Waiter's corkscrew", "amount": cents[1]},
        ],
        "totals": [
            {"label": "Shipping", "amount": cents[2]},
            {"label": "Total", "amount": cents[3], "strong": True},
        ],
        "date": "Fri 4 Dec", "card": True, "asks_card": False,
        "choice": "1 × Hill House Pinot Noir 2020 instead of the 2021",
        "refund": "", "due": "", "agreed": "agreed on the telephone", "what": "1 × Waiter's corkscrew less",
        "reason": "changed their mind" if kind in {"cancelled", "refunded"} else "Our supplier is late.",
        "asking": False, "charged": False, "let_go": False, "other_card": False, "confirm": False,
        "kept_until": "Mon 7 Dec", "again": "Wed 2 Dec", "amount": cents[1],
        "whole": True, "last": False, "carrier": "UPS", "tracking_number": "1Z999AA10123456784", "tracking_url": "",
        "contents": [{"quantity": 2, "name": "Hill House Pinot Noir 2021"}, {"quantity": 1, "name": "Corkscrew"}],
        "old": "Fri 4 Dec", "new": "Wed 9 Dec", "stands_by": "Thu 3 Dec", "cancelled_by": "", "paid": False,
        "phone": shop.phone, "message": "The 2021 has sold out at the grower's.", "until": "Thu 3 Dec", "because": "",
        "choices": [
            {"text": "The 2020 instead of the 2021", "price": f"{cents[1]} each, the same", "kept": ""},
            {"text": "Cancel the order", "price": "nothing is charged", "kept": ""},
        ],
    }  # fmt: skip


SUBJECTS = {
    "confirmation": f"We have your order {NUMBER}",
    "promised": f"{NUMBER}: ships Fri 4 Dec",
    "new_link": f"{NUMBER}: the page of your order",
    "shipped": f"{NUMBER}: your order is on its way",
    "question": f"{NUMBER}: a question about your order",
    "delay": f"{NUMBER}: ships later than promised",
    "amended": f"{NUMBER} is changed as you chose",
    "changed": f"{NUMBER} is changed",
    "cancelled": f"{NUMBER} is cancelled",
    "pay_link": f"{NUMBER}: the bank did not accept the card",
    "pay_reminder": f"{NUMBER}: the payment is still missing",
    "refunded": f"{NUMBER}: money is on its way back to you",
}

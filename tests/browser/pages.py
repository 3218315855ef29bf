"""Where the pages of the demo shop are, by the name of their picture."""

from __future__ import annotations

from counterfoil.desk.settings.sections import SECTIONS
from counterfoil.desk.settings.walk import STEPS
from counterfoil.desk.words import QUEUES

PUBLIC = {
    "shop": "/",
    "shop-search": "/?q=riesling",
    "product": "/products/ALD-PN-2021",
    "cart": "/cart",
    "account-login": "/account/login",
    "account-new": "/account/new",
    "account-reset": "/account/reset",
    "how-it-works": "/how-it-works",
    "follow-one-order": "/how-it-works/follow",
    "desk-login": "/desk/login",
    "not-found": "/orders/no-such-order",
}
DESK = {
    **{f"desk-{code.replace('_', '-')}": f"/desk/queues/{code}" for code in QUEUES},
    "new-order": "/desk/orders/new",
    "to-tell": "/desk/tell",
    "purchase-orders": "/desk/purchase-orders",
    "suppliers": "/desk/suppliers",
    "supplier": "/desk/suppliers/1",
    "stock": "/desk/stock",
    "stock-product": "/desk/stock/ALD-PN-2021",
    "counts": "/desk/counts",
    "promises": "/desk/promises",
    "ship": "/desk/ship",
    "print": "/desk/print",
    "close": "/desk/close",
    "floor": "/desk/floor",
    "floor-pick": "/desk/floor/pick?batch=4",
    "floor-pack": "/desk/floor/pack",
    "bank": "/desk/bank",
    "new-product": "/desk/products/new?like=ALD-PN-2021",
    "books": "/desk/books",
    "disputes": "/desk/disputes",
    "payouts": "/desk/payouts",
    "search": "/desk/search?q=zo",
    "me": "/desk/me",
    "health": "/desk/health",
    "settings": "/desk/settings",
    **{f"settings-{code}": f"/desk/settings/{code}" for code in SECTIONS},
    "settings-log": "/desk/settings/log",
    "settings-staff": "/desk/settings/staff",
    "settings-mails": "/desk/settings/mails",
    "settings-mail": "/desk/settings/mails/promised",
    "settings-keys": "/desk/settings/keys",
    "first-steps": "/desk/setup",
    **{f"first-steps-{step.code}": f"/desk/setup/{step.code}" for step in STEPS},
}
# Each page of an order, by the queue in which one is looked for.
OF_AN_ORDER = {
    **{f"order-{code.replace('_', '-')}": (code, "/desk/orders/{number}") for code in QUEUES},
    "placed": ("review", "/desk/orders/{number}/placed"),
    "amend": ("goods", "/desk/orders/{number}/amend"),
    "offer": ("stock", "/desk/orders/{number}/proposals/new"),
    "offer-parts": ("goods", "/desk/orders/{number}/proposals/new"),
}
# The customer's page, at moments at which it says something of its own.
OF_A_CUSTOMER = {
    f"theirs-{code.replace('_', '-')}": (code, "/orders/{token}")
    for code in ("review", "charged_waiting", "payment_problem", "question", "transit", "done", "cancelled")
}
# Pages that are opened by a link of another, whose address nobody knows beforehand.
BEHIND = {
    "purchase-order": ("/desk/purchase-orders", r"/desk/purchase-orders/PO-[^\"/?#]+"),
    "payout": ("/desk/payouts", r"/desk/payouts/[^\"/?#]+"),
}

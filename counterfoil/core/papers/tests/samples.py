"""Invented orders to print: short and long, plain and hostile."""

from typing import Any

from counterfoil.core.papers.content import Kind

NAMES = [
    "Zoë Brontë",
    "Ольга Иванова",
    "Nguyễn Thị Hương",
    "花子 山田太郎",
    "Łukasz Żółć",
    "Ólafur Þórsson",
    "Ελένη Παπαδοπούλου",
    "김민수",
]
WINES = [
    ("ALD-PN-21", "Alder Ridge Pinot Noir 2021", "75 cl, lot 7", "A-03-2"),
    ("QUI-RI-22", "Quill Riesling 2022", "75 cl", "B-11-4"),
    ("TER-CH-23", "Tern Island Chardonnay 2023", "75 cl, lot 2", "C-01-1"),
    ("COP-SY-19", "Copper Gate Syrah 2019", "1.5 l magnum", "A-07-5"),
    ("STO-RE-15", "Stonecrop Reserve 2015", "75 cl, wooden case", "V-02-1"),
]
NUMBERS: dict[Kind, str] = {"web-order": "CF-1047", "invoice": "INV-2026-0412", "credit-note": "CN-2026-0031"}


def _dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def _lines(count: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for i in range(count):
        sku, name, detail, place = WINES[i % len(WINES)]
        quantity, price = i % 6 + 1, 1847 + 315 * (i % 7)
        lines.append(
            {
                "sku": sku,
                "name": name,
                "detail": detail,
                "bin": place,
                "quantity": quantity,
                "unit_price": _dollars(price),
                "amount": _dollars(price * quantity),
                "tax_rate": "8.5 %",
                "status": "in stock" if i % 3 else "due Tue 24 Nov, confirmed",
            }
        )
    if lines:
        lines[0]["note"] = "was 2020, the customer accepted"
    return lines


def content(kind: Kind, *, lines: int = 3, name: str = "Zoë Brontë") -> dict[str, Any]:
    """Everything that `kind` can show, for `name`, with that many lines."""
    customer = {"name": name, "lines": ["14 Parsonage Lane", "Haworth, CA 94110", "United States"]}
    shop = {
        "name": "Quill & Alder Wine Merchants",
        "address_lines": ["3 Harbour Steps", "Port Alder, OR 97110", "United States"],
        "tax_number": "US-00-1234567",
        "email": "orders@example.com",
    }
    common: dict[str, Any] = {
        "shop": shop,
        "number": NUMBERS.get(kind, "SO-1047"),
        "issued_at": "2026-11-23T16:05:09Z",
        "date_text": "Mon 23 Nov 2026",
        "reference": "Anniversary dinner",
        "lines": _lines(lines),
        "ship_to": {**customer, "phone": "+1 503 555 0117"},
        "delivery_method": "UPS Ground, evening",
    }
    if kind == "purchase-order":
        supplier = {
            "name": "Tern Island Growers",
            "lines": ["1 Quay", "Tern Island, WA 98250"],
            "email": "cellar@example.com",
        }
        own = {
            "number": "PO-0093",
            "supplier": supplier,
            "expected": "Tue 24 Nov",
            "terms": "30 days",
            "ship_to": {**customer, **shop, "lines": shop["address_lines"]},
        }
        return {**common, **own, **_money()}
    if kind == "count-sheet":
        lines_ = [{**ln, "lot": "L7", "expected": str(n)} for n, ln in enumerate(_lines(lines))]
        return {**common, "number": "CS-0012", "scope": name, "lines": lines_, "made_by": "Pia"}
    if kind == "day-sheet":
        rows = [{"what": f"UPS {n}", "amount": str(n), "note": "CF-1012, CF-1015"} for n in range(lines)]
        ticks = {"title": "File copies for the drawer", "rows": [{"what": "SO-0056-C", "tick": True}]}
        shipped = {"title": "Shipped", "rows": rows}
        return {**common, "number": "DAY-2026-11-27", "scope": name, "closed_by": "Ines Okafor", "amount": "$1,240.00",
                "sections": [shipped, ticks]}  # fmt: skip
    common |= {"order_number": "CF-1047", "bill_to": {**customer, "email": "zoe@example.com"}, "channel": "Web shop"}
    common |= {
        "terms": "Charged when ready to ship",
        "gift_note": "Happy birthday, Emily!\nWith love from all of us.",
        "age_notice": "Adult signature required: 21 or over.",
    }
    return common | (_money() if kind not in ("pick-list", "packing-slip") else {}) | _own(kind)


def _money() -> dict[str, Any]:
    return {
        "currency": "USD",
        "amount": "$1,184.20",
        "totals": [
            {"label": "Goods", "amount": "$1,082.40"},
            {"label": "UPS Ground", "amount": "$9.80"},
            {"label": "Sales tax 8.5 %", "amount": "$92.00"},
            {"label": "Total", "amount": "$1,184.20", "strong": True},
        ],
    }


def _own(kind: Kind) -> dict[str, Any]:
    order = {"payment_text": "Visa •••• 4242, saved, not charged", "promise": "Tue 24 Nov"}
    shown: dict[str, dict[str, Any]] = {
        "web-order": {
            **order,
            "needed_by": "Fri 27 Nov",
            "customer_note": "Please ring twice, the dog is old.",
            "to_check": ["First order of this customer", "Bill-to and ship-to differ"],
        },
        "sales-order": order,
        "sales-order-copy": order,
        "card-receipt": {
            "card": {"brand": "Visa", "last4": "4242"},
            "charged_at_text": "Mon 23 Nov 2026, 16:05",
            "reference": "ch_7Q2M",
            "for_text": "Sales order SO-1047",
        },
        "pick-list": {"carrier": "UPS", "promise": "Tue 24 Nov"},
        "packing-slip": {
            "carrier": "UPS",
            "tracking_number": "1Z0001",
            "package": {"n": 1, "of": 2, "contents": "6-bottle box"},
        },
        "invoice": {
            "sales_order_number": "SO-1047",
            "shipped_text": "Tue 24 Nov 2026",
            "due_text": "Paid",
            "payment_text": "Paid by Visa •••• 4242 on 23 Nov 2026, $1,184.20",
            "tax_lines": [{"label": "Sales tax 8.5 %", "base": "$1,082.40", "amount": "$92.00"}],
        },
        "credit-note": {
            "invoice_number": "INV-2026-0412",
            "invoice_date_text": "Tue 24 Nov 2026",
            "reason": "One bottle of Quill Riesling arrived broken.",
            "refund_text": "$18.47 to Visa •••• 4242",
        },
        "evidence": {
            "dispute_text": "du_7Q2MXYZ",
            "kind_text": "The bank took the money back",
            "reason_text": "they say that the goods never arrived",
            "opened_text": "30 Nov 2026, 09:10",
            "due_text": "8 Dec 2026, 15:59",
            "card": {"brand": "Visa", "last4": "4242"},
            "statement": "The parcel was delivered to the customer's door.\nAn adult signed for it.",
            "sections": [
                {"title": "Shipment and delivery", "rows": [{"when": "24 Nov 2026, 11:02", "what": "UPS, 1Z0001"}]},
                {
                    "title": "Mails sent to the customer",
                    "rows": [
                        {
                            "when": "24 Nov 2026, 11:03",
                            "what": "“It is on its way” to zoe@example.com",
                            "text": "Hello Zoë,\n\nyour wine has left.\nFollow it: https://www.example.com/1Z0001",
                        }
                    ],
                },
                {"title": "Refunds", "rows": [{"what": "Nothing has been refunded."}]},
            ],
        },
    }
    return shown[kind]

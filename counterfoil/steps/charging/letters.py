"""Mails about a payment that did not come; each says what the customer can do and until when the goods are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from counterfoil.core.money import show
from counterfoil.core.shop import shop
from counterfoil.gateways.mail.outbox import owe_mail
from counterfoil.records.orders.models import Line, Order, Part
from counterfoil.records.orders.slip import mail_slip, order_url, say_date, say_moment


def owe_pay_mail(taken: Order, *, key: str) -> None:
    """Ask the customer for a card; inside `writing()`."""
    parts = list(Part.objects.filter(order=taken).exclude(decline_class="").order_by("number"))
    first = taken.card_state == "none" and not parts  # nobody has given one yet
    subject = "please give your card" if first else "please check your payment"
    more = {"first": True, "url": f"{order_url(taken)}/pay"} if first else {}
    _owe("pay_link", taken, parts, key=f"{taken.number}:pay:{key}", subject=subject, **more)


def owe_reminder(taken: Order, part: Part, due: datetime) -> None:
    """Say once more that the payment is missing; inside `writing()`. One of each moment."""
    key = f"{taken.number}:reminder:{part.number}:{due.isoformat()}"
    kept = f"kept until {say_date(shop().day_of(part.grace_until))}" if part.grace_until else "waiting for your payment"
    _owe("pay_reminder", taken, [part], key=key, subject=f"your order is {kept}")


def owe_let_go(taken: Order, part: Part) -> None:
    """Say that the goods are kept no longer and how to have them again; inside `writing()`."""
    key = f"{taken.number}:let-go:{part.number}:{part.let_go_at.isoformat() if part.let_go_at else ''}"
    _owe("let_go", taken, [part], key=key, subject="we could not keep your goods any longer")


def _owe(kind: str, taken: Order, parts: list[Part], *, key: str, subject: str, **more: Any) -> None:
    lines = list(Line.objects.filter(order=taken).order_by("position"))
    context = {**mail_slip(taken, lines), **_standing(parts), **more, "subject": f"{taken.number}: {subject}"}
    context["nothing"] = _charged(taken)
    owe_mail(kind, to=taken.email, key=key, context=context)


def _charged(taken: Order) -> str:
    """What was charged of the order: of one that is paid in part, what is missing is the rest."""
    paid = sum(p.charged - p.refunded - p.refund_owed for p in Part.objects.filter(order=taken))
    if paid <= 0:
        return "Nothing has been charged"
    return f"You have paid {show(paid, taken.currency)} of it; of the rest nothing has been charged"


def _standing(parts: list[Part]) -> dict[str, Any]:
    """What a mail says of a decline: what kind it was, whether we try again, until when the goods are kept."""
    kept = min((p.grace_until for p in parts if p.grace_until and not p.let_go_at), default=None)
    again = min((p.retry_at for p in parts if p.retry_at), default=None)
    worst = next((c for c in ("never", "customer", "later") if any(p.decline_class == c for p in parts)), "")
    return {
        "kept_until": say_date(shop().day_of(kept)) if kept else "",
        "again": say_moment(again) if again else "",
        "other_card": worst == "never",
        "confirm": worst == "customer",
        "let_go": bool(parts) and all(p.let_go_at for p in parts),
    }

"""Deciding that money goes back. From here on it is owed: in the records, in the books and to the customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from counterfoil.core import clock, jobs
from counterfoil.core.actor import Actor
from counterfoil.core.db import in_writing, rows
from counterfoil.core.errors import Invalid, blocked
from counterfoil.core.money import show, split
from counterfoil.records.books.ledger import post, posted
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import Charge, Order, Part, Refund
from counterfoil.records.orders.shares import fit_tax, tax_of


def refundable(part: Part) -> int:
    """What was captured for the part and is neither refunded, nor owed back, nor with a bank in a dispute; minor units.

    A lost dispute has given the customer their money: it is not given a second time.
    """
    left = part.charged - part.refunded - part.refund_owed
    return max(0, left - sum(disputed_of(part).values())) if left > 0 else left


def disputed_of(part: Part) -> dict[int, int]:
    """By charge: what the customer's bank has taken back of it and no refund accounts for, minor units."""
    found = rows(
        # A table of charging's, which is above: read by name, like a difference with the bank.
        "SELECT d.charge_id, SUM(d.held) FROM charging_dispute d JOIN orders_charge c ON c.id = d.charge_id "
        "WHERE c.part_id = %s AND d.held > 0 GROUP BY d.charge_id",
        [part.pk],
    )
    return {int(charge): int(held) for charge, held in found}


def decide_refund(
    *,
    order: Order,
    part: Part,
    amount: int,
    reason: str,
    actor: Actor,
    lines: Sequence[Mapping[str, Any]] = (),
    tax: int | None = None,
    charge: Charge | None = None,
    settles: bool = False,
) -> list[Refund]:
    """Owe `amount` (minor units, tax included) of the part back to the customer; `tax` of it, else its share.

    `settles`: it is that by which more was paid than the part costs (`Part.given_back`), not a gift of the shop's. No
    invoice bills it, and no credit note takes it off.

    Stands inside `writing()`, on an order and a part read after it was taken. Spreads over the part's charges: one that
    it empties, else newest first (or takes it from the `charge` named), a pending Refund for each; writes books and
    journal and owes the jobs that send it and, once invoiced, credit it. Raises Invalid for an amount that is none and
    Refused `over_refundable` for more than is left.
    """
    if not in_writing():
        raise RuntimeError("a refund is decided inside writing()")
    if amount <= 0:
        raise Invalid(("amount", "a refund is more than nothing"))
    left = refundable(part)
    if amount > left:
        held = sum(disputed_of(part).values())
        raise blocked(
            "over_refundable",
            f"only {show(max(0, left), order.currency)} of what was charged is left to refund"
            + (f"; {show(held, order.currency)} went back through the customer's bank in a dispute" if held else ""),
        )
    after_invoice = part.books in {"invoiced", "credited"} and not settles
    kept = part.charged - part.refunded - part.refund_owed
    in_it = _tax_in(part, amount, kept, tax, after_invoice=after_invoice)
    spread = _spread(part, amount, charge)
    taxes = split(in_it, [units for _, units in spread])
    part.refund_owed += amount
    part.given_back += amount if settles else 0
    part.save(update_fields=["refund_owed", "given_back"])
    count = Refund.objects.filter(part__order=order).count()
    made = [
        Refund.objects.create(
            part=part,
            charge=charge,
            amount=share,
            tax=share_of_tax,
            currency=order.currency,
            key=f"refund-{order.token[:20]}-{count + n}",
            reason=reason[:500],
            lines=[dict(ln) for ln in lines],
            after_invoice=after_invoice,
            actor=actor.name,
            at=clock.business_now(),
            made_at=clock.real_now(),
        )
        for n, ((charge, share), share_of_tax) in enumerate(zip(spread, taxes, strict=True), start=1)
    ]
    for refund in made:
        _enter(order, refund)
    note(
        order,
        "refund_decided",
        actor=actor,
        text=f"{show(amount, order.currency)} goes back: {reason}",
        part=part,
        data={"refunds": [r.key for r in made], "amount": amount, "tax": in_it},
    )
    return made


def _spread(part: Part, amount: int, only: Charge | None = None) -> list[tuple[Charge, int]]:
    """Which charge gives back how much: one that it empties if there is one, so that what was paid twice is one whole
    payment on the customer's statement; else newest first. A failed refund still claims its share: it is still owed.
    """
    claimed = disputed_of(part)
    for refund in Refund.objects.filter(part=part):
        claimed[refund.charge_id] = claimed.get(refund.charge_id, 0) + refund.amount
    out: list[tuple[Charge, int]] = []
    open_amount = amount
    charges = Charge.objects.filter(part=part, state="succeeded").order_by("-attempt")
    room = [(c, c.amount - claimed.get(c.pk, 0)) for c in (charges if only is None else charges.filter(pk=only.pk))]
    for charge, left in sorted(room, key=lambda pair: pair[1] != amount):
        share = min(open_amount, left)
        if share > 0:
            out.append((charge, share))
            open_amount -= share
    if open_amount:
        raise blocked("over_refundable", "the charges that succeeded do not cover this refund; reconcile them first")
    return out


def _tax_in(part: Part, amount: int, left: int, tax: int | None, *, after_invoice: bool) -> int:
    """The tax in a refund of `amount` out of `left`: what the lines say, else its share.

    After the invoice it is taken of the tax that has not gone back yet, so that the last refund ends at zero: of what
    the invoice has entered, which is less where some had gone back before. Before it, the refund is of deposits, on
    which no tax is owed yet; its tax is kept for the invoice. What we hold beyond the part's total (paid twice) has
    none in it.
    """
    if after_invoice:
        entered = posted(f"invoice:{part.invoice_number}", "tax_payable")
        tax_left = part.tax if entered is None else -entered
        tax_left -= sum(Refund.objects.filter(part=part, after_invoice=True).values_list("tax", flat=True))
        if tax is None:
            return tax_of(amount, left=left, tax_left=tax_left)
        return fit_tax(tax, amount, left=left, tax_left=tax_left)
    if tax is not None:
        return min(amount, tax)

    def tax_in(held: int) -> int:
        return tax_of(min(held, part.total), left=part.total, tax_left=part.tax)

    return tax_in(left) - tax_in(left - amount)


def _enter(order: Order, refund: Refund) -> None:
    """Books and jobs of one refund."""
    if refund.after_invoice:
        debits = {"returns": refund.amount - refund.tax, "tax_payable": refund.tax}
        jobs.enqueue("invoicing.credit_note", key=str(refund.pk), payload={"refund": refund.pk})
    else:
        debits = {"customer_deposits": refund.amount}
    post(
        cause=f"refund-decided:{refund.pk}",
        kind="refund_decided",
        subject=order.number,
        text=f"Refund decided: {refund.reason}"[:300],
        currency=refund.currency,
        amounts={**debits, "refunds_payable": -refund.amount},
    )
    jobs.enqueue("charging.refund", key=str(refund.pk), payload={"refund": refund.pk})

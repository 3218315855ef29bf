"""Keeping a card for later charges: the processor's id of it, its brand and its last four digits."""

from __future__ import annotations

from django.db.models import Q

from counterfoil.core.actor import SYSTEM
from counterfoil.core.machine import Move, shift
from counterfoil.gateways.card.protocol import Saved
from counterfoil.records.orders.load import note
from counterfoil.records.orders.models import MONEY, Order, Part
from counterfoil.steps.charging.dunning import end_dunning


def keep_card(taken: Order, saved: Saved, *, paid: Part | None = None) -> None:
    """Write a saved card to its order, in place of an earlier one; inside `writing()`, the order taken.

    Whatever an earlier card was declined for is over: its parts are ready to be charged anew. `paid` was just paid with
    it; if that was less than it costs by now, the rest stands as declined and can be paid in the same way.
    """
    earlier = taken.card_last4 if taken.card_state == "saved" else ""
    taken.card_state, taken.card_method = "saved", saved.method_id
    taken.card_brand, taken.card_last4 = saved.brand, saved.last4
    taken.save(update_fields=["card_state", "card_method", "card_brand", "card_last4"])
    moves: list[Move] = []
    waiting = Q(money__in=["unpaid", "declined"]) | (Q(money="saved") & ~Q(decline_class=""))
    for part in Part.objects.filter(waiting, order=taken).order_by("number"):
        end_dunning(taken, part)
        if part.money != "saved" and part != paid:
            # What the bank holds on an earlier card stays held: the charge takes it, and the difference from this one.
            event = "authorise" if part.authorisation_amount else "save"
            moves.append(shift(MONEY, event, part, part=part.number))
    instead = f" in place of the one ending in {earlier}" if earlier and earlier != saved.last4 else ""
    charged = "" if paid else "; nothing charged"
    note(
        taken,
        "card_saved",
        actor=SYSTEM,
        text=f"Card saved{instead}: {saved.brand} ending in {saved.last4}{charged}",
        moves=moves,
        data={"brand": saved.brand, "last4": saved.last4},
    )

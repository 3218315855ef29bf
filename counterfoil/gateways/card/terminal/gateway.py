"""Money that a clerk holds, written down as a slip. Our own database is the other side: nothing here calls anybody, so
every method may stand inside a transaction of the caller's, and then it stands or falls with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db.models import F

from counterfoil.core import clock
from counterfoil.core.db import writing
from counterfoil.gateways.card.protocol import Intent, Returned, Wrong
from counterfoil.gateways.card.terminal.models import KINDS, Slip, SlipNumber, SlipReturn

WORDS = {"card": "card slip", "cheque": "cheque", "transfer": "transfer", "cash": "cash"}


class UsedElsewhere(Wrong):
    """This slip is money of another order already: `order`."""

    def __init__(self, slip: Slip, order: str) -> None:
        self.order = order
        super().__init__(f"the {WORDS[slip.kind]} {slip.number} is already entered on {order}")


class TerminalGateway:
    """See `protocol.Till`. `method` is the slip's kind; of `reference`, `slip` is the number on it, `order` whose money
    it is, `brand`, `last4` and `by` what they say. Keys are kept for good."""

    def create_intent(
        self,
        *,
        amount: int,
        currency: str,
        customer: str = "",
        method: str,
        reference: Mapping[str, str],
        key: str,
        hold: bool = False,
    ) -> Intent:
        if hold:
            raise Wrong("a slip holds nothing for later: the money is here or it is not")
        if method not in KINDS or amount <= 0 or len(currency) != 3 or not reference.get("slip"):
            raise Wrong("a slip has a kind, a number, an amount and its currency")
        stands = {
            "kind": method,
            "number": reference["slip"],
            "amount": amount,
            "currency": currency.upper(),
            "brand": reference.get("brand", ""),
            "last4": reference.get("last4", ""),
            "order_number": reference.get("order", ""),
            "mark": dict(reference),
            "by": reference.get("by", ""),
        }
        with writing():
            slip, made = Slip.objects.get_or_create(create_key=key, defaults={**stands, "at": clock.business_now()})
        if not made and any(getattr(slip, name) != value for name, value in stands.items()):
            raise Wrong("this key was used for another slip")
        return intent_of(slip)

    def confirm_intent(self, intent_id: str, *, key: str, shared: bool = False) -> Intent:
        """The money is counted. Raises UsedElsewhere, unless the number may be `shared`: one transfer may pay two."""
        return self._settle(intent_id, Slip.DONE, "confirm_key", key, shared=shared)

    def get_intent(self, intent_id: str) -> Intent:
        return intent_of(_slip(intent_id))

    def cancel_intent(self, intent_id: str, *, key: str) -> Intent:
        return self._settle(intent_id, Slip.CANCELLED, "cancel_key", key)

    def _settle(self, intent_id: str, state: str, column: str, key: str, *, shared: bool = False) -> Intent:
        with writing():
            slip = _slip(intent_id)
            settled = Slip.objects.filter(pk=slip.pk, state=Slip.WAITING).update(**{"state": state, column: key})
            if settled and state == Slip.DONE and slip.kind != "cash":
                _claim_number(slip, shared=shared)
            slip.refresh_from_db()
        if (slip.state, getattr(slip, column)) != (state, key):
            raise Wrong(f"this slip is {slip.state}")
        return intent_of(slip)

    def refund(self, *, intent_id: str, amount: int, reference: Mapping[str, str], key: str) -> Returned:
        """Pending until `paid_back`."""
        if amount <= 0:
            raise Wrong("what goes back is more than nothing")
        with writing():
            slip = _slip(intent_id)
            Slip.objects.filter(pk=slip.pk).update(returned=F("returned"))  # one at a time for each slip
            found = SlipReturn.objects.select_related("slip").filter(key=key).first()
            if found is None:
                left = Slip.objects.filter(pk=slip.pk, state=Slip.DONE, returned__lte=F("amount") - amount)
                if not left.update(returned=F("returned") + amount):
                    raise Wrong("more than what is left of this slip")
                found = SlipReturn.objects.create(
                    slip=slip, amount=amount, mark=dict(reference), key=key, at=clock.business_now()
                )
        if (found.slip_id, found.amount, found.mark) != (slip.pk, amount, dict(reference)):
            raise Wrong("this key was used for another refund")
        return returned_of(found)

    def paid_back(self, refund_id: str, *, by: str) -> Returned:
        """A person says that they have given it back: once, whoever says so first."""
        with writing():
            found = _return(refund_id)
            SlipReturn.objects.filter(pk=found.pk, state=SlipReturn.PENDING).update(
                state=SlipReturn.PAID, paid_at=clock.business_now(), paid_by=by
            )
            found.refresh_from_db()
        return returned_of(found)

    def find_refund(self, *, intent_id: str, reference: Mapping[str, str]) -> Returned | None:
        slip = _slip(intent_id)
        for found in SlipReturn.objects.filter(slip=slip).select_related("slip").order_by("-id"):
            if all(found.mark.get(name) == value for name, value in reference.items()):
                return returned_of(found)
        return None

    def get_refund(self, refund_id: str) -> Returned:
        return returned_of(_return(refund_id))

    def list_intents(self, since: datetime) -> Iterator[Intent]:
        yield from map(intent_of, Slip.objects.filter(at__gte=since).order_by("-id"))

    def list_refunds(self, since: datetime) -> Iterator[Returned]:
        returns = SlipReturn.objects.filter(at__gte=since).select_related("slip").order_by("-id")
        yield from map(returned_of, returns)


def _claim_number(slip: Slip, *, shared: bool) -> None:
    """Inside `writing()`: this number is the order's from now on, and nobody else's."""
    folded = "".join(slip.number.casefold().split())[:120]
    whose, _ = SlipNumber.objects.get_or_create(
        kind=slip.kind, number=folded, defaults={"order_number": slip.order_number}
    )
    if whose.order_number != slip.order_number and not shared:
        raise UsedElsewhere(slip, whose.order_number)


def _number(prefix: str, identifier: str) -> int:
    name, _, number = identifier.partition("_")
    return int(number) if name == prefix and number.isascii() and number.isdecimal() and len(number) < 18 else 0


def _slip(identifier: str) -> Slip:
    found = Slip.objects.filter(pk=_number("slip", identifier)).first()
    if found is None:
        raise Wrong(f"there is no slip {identifier}")
    return found


def _return(identifier: str) -> SlipReturn:
    found = SlipReturn.objects.select_related("slip").filter(pk=_number("slipback", identifier)).first()
    if found is None:
        raise Wrong(f"nothing went back under {identifier}")
    return found


def intent_of(slip: Slip) -> Intent:
    done = slip.state == Slip.DONE
    name = f"slip_{slip.pk}"
    return Intent(
        id=name,
        status=slip.state,
        amount=slip.amount,
        captured=slip.amount if done else 0,
        currency=slip.currency,
        charge_id=name if done else "",
        brand=slip.brand,
        last4=slip.last4,
        method_id=slip.kind,
        reference=dict(slip.mark),
    )


def returned_of(found: SlipReturn) -> Returned:
    return Returned(
        id=f"slipback_{found.pk}",
        status=found.state,
        amount=found.amount,
        intent_id=f"slip_{found.slip_id}",
        currency=found.slip.currency,
        reference=dict(found.mark),
    )

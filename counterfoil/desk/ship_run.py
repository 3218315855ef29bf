"""Shipping the parcels of a carrier's file: written down at once, then done by the worker, row by row."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError

from counterfoil.core import clock, jobs
from counterfoil.core.access.models import User
from counterfoil.core.cards import mask_cards
from counterfoil.core.db import execute, writing
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import shop
from counterfoil.desk.doing import SAYS_NO
from counterfoil.desk.models import FileParcel, ShipFile
from counterfoil.desk.scanning import is_no_parcel, orders_named
from counterfoil.desk.ship_file import FileRow
from counterfoil.gateways.carrier.labels import carriers_of, label_number
from counterfoil.gateways.carrier.tracking import recognise
from counterfoil.records.orders.models import Order, Package, Shipment
from counterfoil.steps.fulfilment.actions import ship_order
from counterfoil.steps.fulfilment.actions.ship import used_words

log = logging.getLogger(__name__)
# The cell of a row where the action's own field is mended; everything else is a matter of the order.
_CELLS = {"tracking": "tracking", "tracking_number": "tracking", "carrier": "carrier"}


def begin_file(rows: Sequence[FileRow], user: User) -> ShipFile:
    """Write down a file with its rows, and the job that ships them, in one transaction; six statements and the job."""
    found = orders_named([r.order for r in rows if r.order] + [r.order.upper() for r in rows])
    named = {o.pk: o for orders in found.values() for o in orders}
    boxes: dict[int, list[int]] = {}
    waiting = Package.objects.filter(order__in=named, unpacked_at=None, shipment=None).order_by("number")
    for pk, of_order in waiting.values_list("pk", "order_id"):
        boxes.setdefault(of_order, []).append(pk)
    times = Counter(mine[0].pk for r in rows if len(mine := found.get(r.order.upper(), [])) == 1)
    # As many labels as boxes: one each, in the order of the boxes.
    each = {pk: iter(mine) for pk, mine in boxes.items() if len(mine) > 1 and times[pk] == len(mine)}
    with writing():
        now = clock.real_now()
        made = ShipFile.objects.create(user=user, made_at=now)
        parcels = []
        for row in rows:
            parcel = _parcel(made, row, found.get(row.order.upper(), []))
            if parcel.order_id in each:
                parcel.packages = [next(each[parcel.order_id])]
            parcel.done_at = now if parcel.state == FileParcel.REFUSED else None
            parcels.append(parcel)
        FileParcel.objects.bulk_create(parcels)
        if any(p.state == FileParcel.WAITING for p in parcels):
            jobs.enqueue("desk.ship_file", key=str(made.pk), payload={"file": made.pk})
    return made


def _parcel(file: ShipFile, row: FileRow, orders: Sequence[Order]) -> FileParcel:
    """A row as it is kept, refused already where the row alone tells that it will not do."""
    number = label_number(row.tracking)
    tracking = number if recognise(number) else mask_cards(row.tracking)
    made = FileParcel(
        file=file,
        line=row.line,
        named=mask_cards(row.order),
        tracking=tracking,
        carrier=mask_cards(row.carrier),
        order=orders[0] if len(orders) == 1 else None,
    )
    wrong = ("", "")
    if made.order_id is None:
        wrong = ("order", _which(row, orders))
    elif not number:
        wrong = ("tracking", "there is no tracking number")
    elif is_no_parcel(number):
        wrong = ("tracking", "this looks like a card number, and no carrier numbers its parcels like that")
    if wrong[0]:
        made.state, (made.wrong, made.message) = FileParcel.REFUSED, wrong
    return made


def _which(row: FileRow, orders: Sequence[Order]) -> str:
    if not row.order:
        return "there is no order number"
    if orders:
        return f"{' and '.join(o.number for o in orders)} both have this reference: write the order's number"
    return "there is no order with this number or reference"


def ship_parcel(parcel: FileParcel) -> None:
    """Ship one row; refused it stops no other, and what was shipped with this number before is done."""
    with writing():
        if not execute(
            "UPDATE desk_fileparcel SET state = 'running' WHERE id = %s AND state IN ('waiting', 'running')",
            [parcel.pk],
        ):
            return
    try:
        said = _ship(parcel)
    except (InterfaceError, OperationalError):
        raise  # the database is away: the job comes again
    except SAYS_NO as error:
        wrong = error.errors if isinstance(error, Invalid) else ()
        why = "; ".join(words for _, words in wrong) or str(error)
        _close(parcel, FileParcel.REFUSED, why, _CELLS.get(wrong[0][0] if wrong else "", "order"))
    except Exception:
        log.exception("row %s of file %s", parcel.line, parcel.file_id)
        _close(parcel, FileParcel.REFUSED, "an error of ours, which is in the log; look at the order", "order")
    else:
        _close(parcel, FileParcel.DONE, said)


def _ship(parcel: FileParcel) -> str:
    order = parcel.order
    assert order is not None
    number = label_number(parcel.tracking)
    before = Shipment.objects.filter(tracking_number=number).select_related("order").first()
    if before is not None:
        if before.order_id == order.pk:
            return f"was shipped with this number before, by {before.actor}"
        raise Invalid(("tracking", used_words(before)))
    usual = shop().carrier_of(order.shipping_method)
    whose = [parcel.carrier] if parcel.carrier else carriers_of(number, ours=shop().carriers(), usual=usual)
    if len(whose) != 1:
        raise Invalid(("carrier", f"{' or '.join(whose) or 'no carrier'} by its number: write down the carrier"))
    made = ship_order(
        order=order.number,
        actor=parcel.file.user.actor,
        carrier=whose[0],
        tracking_number=number,
        packages=parcel.packages or None,
    )
    return f"{made.carrier} {made.tracking_number}; the customer is told"


def _close(parcel: FileParcel, state: str, message: str, wrong: str = "") -> None:
    with writing():
        execute(
            "UPDATE desk_fileparcel SET state = %s, message = %s, wrong = %s, done_at = %s "
            "WHERE id = %s AND state = 'running'",
            [state, mask_cards(message)[:1000], wrong, clock.real_now(), parcel.pk],
        )


def stop_file(file: ShipFile) -> int:
    """Ship no more of it; how many rows are left undone."""
    with writing():
        return execute(
            "UPDATE desk_fileparcel SET state = 'undone', message = 'it was stopped', done_at = %s "
            "WHERE file_id = %s AND state = 'waiting'",
            [clock.real_now(), file.pk],
        )

"""Shipping by scan: the order's bar code, then the parcel's label; the next order's, and so on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from counterfoil.core.access.models import User
from counterfoil.core.actor import CLERK, PICKER
from counterfoil.core.cards import mask_cards, mask_tree
from counterfoil.core.errors import Declined, Forbidden, Invalid, Refused, StillAsking
from counterfoil.core.shop import shop
from counterfoil.core.web import staff
from counterfoil.desk import queries
from counterfoil.desk.doing import do_deed, do_or_wait, going_out, shipment_waiting
from counterfoil.desk.leaving import leaving
from counterfoil.desk.models import Deed
from counterfoil.desk.pages import SeeOther, desk_page, say, staff_of
from counterfoil.desk.rail import rail
from counterfoil.desk.reading import Form, text_of
from counterfoil.desk.saying import units
from counterfoil.desk.scanning import is_no_parcel, order_of, scanned_text, shown
from counterfoil.desk.slips import row_of
from counterfoil.gateways.carrier.labels import carriers_of, label_number
from counterfoil.gateways.carrier.tracking import CARRIERS, recognise
from counterfoil.records.orders.load import facts_of
from counterfoil.records.orders.models import Order, Package, Shipment
from counterfoil.steps.fulfilment.actions.ship import used_words
from counterfoil.steps.fulfilment.rules import choose, may_ship

SHOWN = 8  # of the orders that wait to be shipped


@dataclass
class Bench:
    """What lies on the shipping bench: an order, its boxes, a label whose carrier nobody knows yet."""

    order: Order | None = None
    boxes: list[Package] = field(default_factory=list)
    ticked: list[int] = field(default_factory=list)
    number: str = ""
    carriers: list[str] = field(default_factory=list)
    carrier: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)


@staff(CLERK, PICKER)
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest) -> HttpResponse:
    """The bench. GET lays an order on it; POST is what was scanned."""
    if request.method != "POST":
        bench = Bench()
        wanted = scanned_text(request.GET.get("order", ""))
        found = order_of(wanted) if wanted else None
        if found is not None:
            _lay(bench, found)
        return bench_page(request, bench)
    form = request.POST.dict()
    bench, status = Bench(), 422
    try:
        done = _scan(form, request.POST.getlist("box"), bench, staff_of(request))
    except Invalid as error:
        bench.errors = _at_the_field(error)
    except Refused as error:
        bench.trouble, status = [b.message for b in error.blockers], 409
    except Declined as error:
        bench.trouble, status = [f"The bank said no: {error}"], 402
    except StillAsking as error:
        bench.trouble, status = [str(error)], 202
    except Forbidden as error:
        bench.trouble, status = [str(error)], 403
    else:
        if done is not None:
            if done.words:
                say(request, done.words)
            return SeeOther(f"/desk/ship?{urlencode({'order': done.next})}" if done.next else "/desk/ship")
        status = 200
    return bench_page(request, bench, status=status)


@dataclass(frozen=True)
class Done:
    """What was done, and which order lies on the bench afterwards ("" for none)."""

    words: str
    next: str


def _scan(form: Form, boxes: list[str], bench: Bench, user: User) -> Done | None:
    """Act on one scan. None when the bench has to ask for something more. Raises what shipping raises."""
    text = scanned_text(form.get("scan", ""))
    here = order_of(scanned_text(form.get("order", "")))
    if here is not None:
        _lay(bench, here)
        chosen = {int(b) for b in boxes if b.isdecimal() and len(b) < 19}
        if boxes:
            bench.ticked = [box.pk for box in bench.boxes if box.pk in chosen]
    number = label_number(text) or label_number(scanned_text(form.get("tracking_number", "")))
    if not number:
        raise Invalid(("scan", "scan a bar code, or type what stands below it"))
    another = order_of(text) if text else None
    if another is not None:
        return Done("", another.number)
    if here is None:
        whose = recognise(number)
        what = f"This is a label of {whose[0]}" if whose else f"No order has the number {mask_cards(text or number)}"
        raise Invalid(("scan", f"{what}. Scan the order's bar code first: it is on each of its papers"))
    return _label(form, here, number, bench, user)


def _label(form: Form, order: Order, number: str, bench: Bench, user: User) -> Done | None:
    """Ship the boxes under this label, if it is known whose it is."""
    if is_no_parcel(number):
        raise Invalid(("scan", "this looks like a card number, and no carrier numbers its parcels like that"))
    before = Shipment.objects.filter(tracking_number=number).select_related("order").first()
    if before is not None:
        raise Invalid(("scan", used_words(before)))
    usual = shop().carrier_of(order.shipping_method)
    carrier = text_of(form, "carrier")
    if not carrier:
        whose = carriers_of(number, ours=shop().carriers(), usual=usual)
        if len(whose) != 1:
            bench.number, bench.carriers, bench.carrier = number, whose, usual
            return None
        carrier = whose[0]
    bench.carrier = carrier
    wanted = {"carrier": carrier, "tracking_number": number}
    if _first_box_goes(order, number) or len(bench.ticked) < len(bench.boxes):
        wanted["packages"] = ",".join(map(str, bench.ticked))
    try:
        done = do_or_wait(order.number, "ship", wanted, user)
    except Invalid as error:
        if any(name == "carrier" for name, _ in error.errors):
            bench.number = number
        raise
    left = len(bench.boxes) - len(bench.ticked)
    said = [] if done.deed else [done.text]
    if left:
        boxes = units(left, "box", "boxes")
        said.append(f"{boxes} of {order.number} {'waits' if left == 1 else 'wait'} for another label.")
    return Done(" ".join(said), order.number if left else "")


def _first_box_goes(order: Order, number: str) -> bool:
    """Another box of the order that waits for its Undo goes out now: whoever scans the next label has seen that one."""
    waiting = shipment_waiting(order.number)
    if waiting is None or not waiting.form.get("packages"):
        return False
    if label_number(str(waiting.form["tracking_number"])) == number:
        raise Invalid(("scan", f"{number} is on another box of {order.number}: boxes under one label leave together"))
    do_deed(waiting)
    return True


def _lay(bench: Bench, order: Order) -> None:
    """Put an order on the bench, with its boxes that may leave; else say why it may not."""
    _, blockers = choose(
        facts_of(order),
        lambda facts, part: may_ship(facts, part, charges_first=True),
        ("waiting", "picking", "picked", "packed"),
    )
    if any(b.code == "already_shipped" for b in blockers):
        gone = Shipment.objects.filter(order=order).order_by("-id").first()
        bench.trouble = [f"{order.number}: already shipped{f': {used_words(gone)}' if gone else ''}"]
        return
    if blockers:
        bench.trouble = [f"{order.number}: {b.message}{f' ({b.by})' if b.by else ''}" for b in blockers]
        return
    waits = Deed.objects.filter(order=OuterRef("order"), verb="ship", state=Deed.WAITING).values("form")[:1]
    here = Package.objects.filter(order=order, unpacked_at=None, shipment=None, part__parcel="packed")
    here = here.select_related("part").annotate(waits=Subquery(waits)).order_by("number")
    left: list[Package] = [box for box in here if not _goes(box)]
    going = None if left else shipment_waiting(order.number)
    if going is not None:
        bench.trouble = [f"{order.number}: {going_out(going)}"]
        return
    bench.order, bench.boxes = order, left
    bench.ticked = [box.pk for box in left]


def _goes(box: Any) -> bool:
    """Whether a shipment that waits for its Undo takes this box."""
    form = json.loads(box.waits) if isinstance(box.waits, str) else box.waits
    if form is None:
        return False
    some = str(form.get("packages") or "")
    return not some or str(box.pk) in some.split(",")


def _at_the_field(error: Invalid) -> dict[str, str]:
    """Everything that is wrong with a label stands at the one field, but for the carrier's name."""
    return {("carrier" if name == "carrier" else "scan"): words for name, words in error.errors}


def bench_page(
    request: HttpRequest, bench: Bench, *, columns: Mapping[str, str] | None = None, status: int = 200
) -> HttpResponse:
    """The bench with what lies on it; `columns` is how the form of the carrier's file was filled in."""
    beside = rail(shop().today(), "ship", user=request.user.pk)
    waiting, _ = queries.queue_page("ship")
    on = bench.order.pk if bench.order else 0
    listed = [o for o in waiting if o.pk != on][:SHOWN]
    briefs = queries.briefs_of(listed)
    lines = queries.lines_of(bench.order) if bench.order else []
    context: dict[str, Any] = {
        "here": "ship-bench",
        "rail": beside,
        "count": beside.counts.get("ship", 0),
        "bench": bench,
        "number": shown(bench.number),
        "lines": [ln for ln in lines if ln.quantity],
        "rows": [row_of(o, briefs[o.pk]) for o in listed],
        "usual": shop().carrier_of(bench.order.shipping_method) if bench.order else "",
        "columns": mask_tree(dict(columns or {})),
        "leaving": leaving(beside),
        "known": [c.name for c in CARRIERS],
    }
    return desk_page(request, "desk/ship.html", context, status=status)

"""The floor, on a telephone: one product at a time, scanned off the shelf and scanned into the box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe

from counterfoil.core.actor import CLERK, PICKER, Actor
from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Forbidden, Invalid, Missing, Refused
from counterfoil.core.shop import shop
from counterfoil.core.text import clean_key, clean_sku, new_name
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk import queries
from counterfoil.desk.leaving import leaving
from counterfoil.desk.pages import SeeOther, say
from counterfoil.desk.rail import rail
from counterfoil.desk.reading import Form, indexed, maybe_whole, text_of, whole_of
from counterfoil.desk.scanning import order_of, scanned_text
from counterfoil.desk.slips import row_of
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Order
from counterfoil.steps.fulfilment.actions import break_units, pack_order, pick_order
from counterfoil.steps.fulfilment.actions.once import do_once
from counterfoil.steps.fulfilment.walk import Code, boxes_of, families, judge, packing_of, walk_for

BATCHES = (4, 6, 8, 12)  # orders on one cart
MOST = 12
SHOWN = 20


def floor_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the floor: no rail, one thing at a time. A phone keeps it for its person (`shell/floor_worker.py`)."""
    said = request.session.pop("said", None)
    may = getattr(request.user, "role", "") in {"owner", PICKER}
    base = {"said": said, "me": request.user, "may": may, "settings": shop(), "page": new_name()}
    answer = render(request, template, {**base, **context}, status=status)
    answer["X-Floor-User"] = str(request.user.pk)
    return answer


@staff(PICKER, CLERK)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What is to be picked and packed, the soonest to leave first."""
    to_pick, _ = queries.queue_page("pick")
    to_pack, _ = queries.queue_page("pack")
    shown, packing = to_pick[:SHOWN], to_pack[:SHOWN]
    briefs = queries.briefs_of([*shown, *packing])
    context = {
        "picking": [row_of(o, briefs[o.pk]) for o in shown],
        "packing": [row_of(o, briefs[o.pk]) for o in packing],
        "more": len(to_pick) > SHOWN,
        "leaving": leaving(rail(shop().today(), "pick")),
        "batches": [n for n in BATCHES if n <= len(to_pick)],
    }
    return floor_page(request, "floor/index.html", context)


@staff(PICKER, CLERK)
@require_safe
def pick(request: HttpRequest) -> HttpResponse:
    """The walk for the orders that were named, or for the next few of the queue."""
    names = [scanned_text(n).upper() for n in request.GET.getlist("order")][:MOST]
    if names:
        by_number = {o.number: o for o in Order.objects.filter(number__in=names)}
        orders = [by_number[n] for n in dict.fromkeys(names) if n in by_number]
    else:
        asked = request.GET.get("batch", "1")
        count = min(MOST, max(1, int(asked) if asked.isdecimal() and len(asked) < 4 else 1))
        orders = queries.queue_page("pick")[0][:count]
        if orders:
            return SeeOther(f"/desk/floor/pick?{urlencode([('order', o.number) for o in orders])}")
    found = walk_for(orders) if orders else None
    stops = found.stops if found else []
    context = {
        "stops": stops,
        "tokens": [new_name() for _ in stops],
        "walk": found,
        "picked": [o for o, _ in found.shut if o.queue in {"pack", "ship"}] if found else [],
        "shut": [(o, why) for o, why in found.shut if o.queue not in {"pack", "ship"}] if found else [],
        "here": request.get_full_path(),
    }
    return floor_page(request, "floor/pick.html", context)


@staff(PICKER, CLERK)
@require_safe
def pack(request: HttpRequest) -> HttpResponse:
    """One order on the packing table, or the field to scan one."""
    text = scanned_text(request.GET.get("order", ""))
    order = order_of(text) if text else None
    table = packing_of(order) if order else None
    context = {
        "text": mask_cards(text),
        "order": order,
        "table": table,
        "boxes": boxes_of(order) if order and not (table and table.lines) else [],
        "token": new_name(),
        "here": request.get_full_path(),
    }
    return floor_page(request, "floor/pack.html", context, status=404 if text and order is None else 200)


@staff(PICKER, CLERK)
@require_safe
def away(request: HttpRequest) -> HttpResponse:
    """What a phone without a connection shows for a page that it has not kept: the same for everybody."""
    return render(request, "floor/away.html", {})


@staff(PICKER, CLERK)
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """One act of a phone, done once by its token; answers in JSON to the page's module, and else goes back there."""
    form, actor = request.POST.dict(), actor_of_page(request)
    status = 200
    try:
        said, fresh = _act(form, actor)
        body: dict[str, Any] = {"ok": True, "said": said, "again": not fresh}
    except Refused as error:
        status, body = 409, {"ok": False, "said": "; ".join(b.message for b in error.blockers)}
    except Invalid as error:
        status, body = 422, {"ok": False, "said": "; ".join(words for _, words in error.errors)}
    except Missing as error:
        status, body = 404, {"ok": False, "said": str(error)}
    except Forbidden as error:
        status, body = 403, {"ok": False, "said": str(error)}
    body["said"] = mask_cards(str(body["said"]))
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse(body, status=status)
    say(request, body["said"] if body["ok"] else f"Not done: {body['said']}")
    wanted = form.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/desk/floor")
    return SeeOther(wanted if safe else "/desk/floor")


def _act(form: Form, actor: Actor) -> tuple[str, bool]:
    kinds: dict[str, Callable[[], str]] = {
        "pick": lambda: _pick(form, actor), "pack": lambda: _pack(form, actor), "break": lambda: _break(form, actor),
    }  # fmt: skip
    kind = text_of(form, "kind")
    if kind not in kinds:
        raise Invalid(("kind", "pick, pack or break"))
    token = text_of(form, "token", kind=clean_key)
    return do_once(token, order=_order(form), actor=actor, do=kinds[kind])


def _order(form: Form) -> str:
    return text_of(form, "order", needed="say which order", kind=clean_key)


def _pick(form: Form, actor: Actor) -> str:
    """Units out of one bin and lot: in hand, not there, broken, or another product in their place."""
    sku = text_of(form, "sku", needed="say which product", kind=clean_sku)
    units, got = whole_of(form, "units", least=1), maybe_whole(form, "got") or 0
    _look(sku, scanned_text(form.get("scanned", "")))
    in_hand, short, why = counted(text_of(form, "do"), units, got)
    pick_order(
        order=_order(form),
        actor=actor,
        part=maybe_whole(form, "part", least=1),
        lines=[{
            "sku": sku, "quantity": in_hand, "short": short, "why": why,
            "bin": text_of(form, "bin", kind=clean_key), "lot": text_of(form, "lot", kind=clean_key),
        }],
    )  # fmt: skip
    return f"{in_hand} × {sku} in hand" + (f", {short} {why or 'not there'}" if short else "")


def counted(do: str, units: int, got: int) -> tuple[int, int, str]:
    """What a button means: units in hand, units short, and why those are. Raises Invalid."""
    if not 0 <= got <= units:
        raise Invalid(("got", f"at most {units}"))
    match do:
        case "got":
            return units, 0, ""
        case "short":
            return got, units - got, ""
        case "wrong":
            return got, units - got, "wrong"
        case "broken":
            return min(got, units - 1), 1, "broken"
    raise Invalid(("do", "got, short, broken or wrong"))


def _look(sku: str, scanned: str) -> None:
    """Without the page's module the scan is judged here. Raises Invalid: another vintage is named loudly."""
    if not scanned:
        return
    product = Product.objects.defer("art", "description").filter(sku=sku).first()
    if product is None:
        raise Missing(f"there is no product {sku}")
    kin = families([product]).get(product.pk, ())
    wrong = judge(scanned, Code(sku, product.name, product.barcode), kin)
    if wrong:
        raise Invalid(("scanned", wrong))


def _pack(form: Form, actor: Actor) -> str:
    """The units that were scanned into a box: it closes on them, and the rest stays to be packed."""
    inside = {sku: whole_of({"q": n}, "q") for sku, n in indexed(form, "quantity").items()}
    lines = [{"sku": sku, "quantity": n} for sku, n in inside.items() if n]
    if not lines:
        raise Invalid(("quantity", "scan at least one unit into the box"))
    box = pack_order(
        order=_order(form), actor=actor, lines=lines, weight_g=maybe_whole(form, "weight_g", least=1),
        part=maybe_whole(form, "part", least=1),
    )  # fmt: skip
    return f"Box {box.number} of {_order(form)} is closed: {sum(n for n in inside.values())} units"


def _break(form: Form, actor: Actor) -> str:
    """One unit broke on the packing table, or in a box."""
    sku = text_of(form, "broke", needed="say which product", kind=clean_sku)
    lines = [{"sku": sku, "quantity": 1}]
    box = maybe_whole(form, "package", least=1)
    break_units(order=_order(form), actor=actor, lines=lines, part=maybe_whole(form, "part", least=1), package=box)
    return f"1 × {sku} broke and is set aside" + ("; the box is open again" if box else "")

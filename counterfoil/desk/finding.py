"""Finding orders and products by whatever people have at hand, on a page and in the command palette."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from counterfoil.core.cards import mask_cards
from counterfoil.core.db import rows
from counterfoil.core.money import MAX_AMOUNT, decimals, show
from counterfoil.core.text import storable
from counterfoil.core.web import staff
from counterfoil.desk import queries, words
from counterfoil.desk.pages import ANYBODY, desk_page
from counterfoil.desk.slips import row_of
from counterfoil.gateways.carrier.labels import label_number
from counterfoil.records.catalogue.models import Product
from counterfoil.records.customers.queries import ids_by_name
from counterfoil.records.orders.models import Order
from counterfoil.records.stock.models import Balance

PAGE = 50
WINES = 12  # products that a word may mean
# Walks the distinct channels by the index (channel, reference) instead of reading the table.
_BY_REFERENCE = """
WITH RECURSIVE known (channel) AS (
  SELECT MIN(channel) FROM orders_order
  UNION ALL SELECT (SELECT MIN(o.channel) FROM orders_order o WHERE o.channel > known.channel) FROM known
  WHERE known.channel IS NOT NULL
)
SELECT o.id, 'exact', '' FROM known JOIN orders_order o ON o.channel = known.channel AND o.reference = %s
"""
# CROSS JOIN keeps SQLite to this order: a few customers, and of each the orders by their index.
_BY_CUSTOMER = """
SELECT o.id, 'exact', '' FROM ({customers}) AS c CROSS JOIN orders_order o WHERE o.customer_id = c.id ORDER BY o.id DESC
"""


def search(text: str) -> list[Order]:
    """Orders by number, reference, tracking number, SKU, part of a product's name, amount, or the beginning of a name,
    of the customer's last name or of an e-mail: fifty, newest first. Names are found with and without their accents,
    tracking numbers with and without spaces.

    Every branch is a look-up on an index of its own. Beginnings are compared here and not in SQL: what sorts behind a
    text by a database's collation need not begin with it. So are amounts: of minor units only the currency knows what
    they are.
    """
    wanted = " ".join(text.split())[:200]
    if not wanted or not storable(wanted):
        return []
    branches: list[tuple[str, object]] = [
        ("SELECT id, 'exact', '' FROM orders_order WHERE number = %s", wanted.upper()),
        (_BY_REFERENCE, wanted),
    ]
    for spelt in dict.fromkeys((wanted, wanted.upper(), label_number(wanted))):
        branches.append(("SELECT order_id, 'exact', '' FROM orders_shipment WHERE tracking_number = %s", spelt))
    for sku in dict.fromkeys([wanted.upper(), *(p.sku for p in products(wanted))]):
        branches.append(("SELECT order_id, 'exact', '' FROM orders_line WHERE sku = %s ORDER BY order_id DESC", sku))
    for spelt in dict.fromkeys((wanted, wanted.title(), wanted.lower())):
        branches.append(("SELECT id, 'begins', name FROM orders_order WHERE name >= %s ORDER BY name", spelt))
        branches.append(("SELECT id, 'begins', email FROM orders_order WHERE email >= %s ORDER BY email", spelt))
    for minor, places in amounts(wanted):
        sql = f"SELECT id, 'total{places}', currency FROM orders_order WHERE total = %s ORDER BY id DESC"
        branches.append((sql, minor))
    sql = " UNION ALL ".join(f"SELECT * FROM ({branch} LIMIT {PAGE}) AS b{i}" for i, (branch, _) in enumerate(branches))
    params: list[object] = [p for _, p in branches]
    customers = ids_by_name(wanted, limit=PAGE)
    if customers is not None:
        sql += f" UNION ALL SELECT * FROM ({_BY_CUSTOMER.format(customers=customers[0])} LIMIT {PAGE}) AS named"
        params += customers[1]
    ids = _hits(rows(sql, params), wanted.casefold())
    return list(Order.objects.filter(pk__in=sorted(ids, reverse=True)[:PAGE]).order_by("-id")) if ids else []


def _hits(found: Iterable[tuple[object, ...]], start: str) -> set[int]:
    ids = set()
    for pk, how, text in found:
        if (
            how == "exact"
            or (how == "begins" and str(text).casefold().startswith(start))
            or how == f"total{decimals(str(text)) if how not in {'exact', 'begins'} else ''}"
        ):
            ids.add(int(str(pk)))
    return ids


def amounts(text: str) -> list[tuple[int, int]]:
    """What a text such as `184.20`, `$1,184.20` or `¥18,400` may be in minor units, with the currency's decimals."""
    bare = text.strip("$€£¥₩₹₫ ").replace(",", "")
    try:
        value = Decimal(bare)
    except InvalidOperation:
        return []
    if not value.is_finite() or not 0 < value < MAX_AMOUNT // 1000:
        return []
    scaled = [(value.scaleb(places), places) for places in (0, 2, 3)]
    return [(int(minor), places) for minor, places in scaled if minor == minor.to_integral_value()]


def products(text: str, limit: int = WINES) -> list[Product]:
    """Products with every word in their name or number."""
    parts = text.split()
    if len(text) < 3 or not storable(text) or not parts:
        return []
    wanted = Q()
    for word in parts[:6]:
        wanted &= Q(name__icontains=word) | Q(sku__icontains=word)
    return list(Product.objects.filter(wanted).only("id", "sku", "name").order_by("name", "id")[:limit])


@staff(*ANYBODY)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Orders by whatever people have at hand; a single hit by its number opens at once."""
    text = request.GET.get("q", "").strip()
    found = search(text)
    if len(found) == 1 and found[0].number == text.upper():
        return HttpResponseRedirect(f"/desk/orders/{found[0].number}")
    briefs = queries.briefs_of(found)
    known = [p.pk for p in products(text)]
    wines = Balance.objects.select_related("product").defer("product__art").filter(product__in=known)
    context = {
        "q": mask_cards(text),
        "rows": [row_of(o, briefs[o.pk]) for o in found],
        "products": list(wines.order_by("product__name")) if known else [],
    }
    return desk_page(request, "desk/search.html", context)


@staff(*ANYBODY)
@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """The same in brief for the command palette: orders, then products."""
    text = request.GET.get("q", "").strip()
    found = [
        {
            "text": f"{o.number} {o.name}",
            "more": f"{show(o.total, o.currency)} · {words.QUEUES[o.queue].name}",
            "href": f"/desk/orders/{o.number}",
        }
        for o in search(text)[:8]
    ]
    found += [{"text": p.name, "more": p.sku, "href": reverse("desk-product", args=[p.sku])} for p in products(text, 4)]
    answer = JsonResponse({"found": found})
    answer["Cache-Control"] = "no-store"
    return answer

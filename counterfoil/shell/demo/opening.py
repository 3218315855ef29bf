"""The demo shop on the day it opens: its settings, its people, its suppliers, its shelves."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from counterfoil.core import jobs, shop
from counterfoil.core.access.models import User
from counterfoil.core.actor import Actor
from counterfoil.core.db import writing
from counterfoil.records.catalogue.actions import create_product, create_supplier
from counterfoil.records.catalogue.models import Product, Supplier
from counterfoil.records.stock.actions import adjust_stock
from counterfoil.shell.demo.labels import label_svg
from counterfoil.shell.demo.people import DEMO_PASSWORD, STAFF, SUPPLIERS
from counterfoil.shell.demo.things import accessory_svg
from counterfoil.shell.demo.wines import ACCESSORIES, WINES, Accessory, Wine

SHOP_NAME, TIMEZONE = "Alder & Quill Wines", "America/Los_Angeles"
GROUND, EXPRESS, PICK_UP = "Ground, signature 21+", "Express, signature 21+", "Pick up at the shop"

# Round figures for a demo, in millionths; no advice on anybody's tax.
_US = {
    "CA": 72500, "GA": 40000, "HI": 40000, "IL": 62500, "LA": 50000, "MA": 62500, "MN": 68750, "NM": 48750,
    "NY": 40000, "TX": 62500, "VT": 60000, "WA": 65000,
}  # fmt: skip
_ABROAD = {"GB": 200000, "DE": 190000, "FR": 200000, "ES": 210000, "PL": 230000, "DK": 250000, "CA": 50000}
ZONES = [
    *({"country": "US", "state": state, "rates": {"standard": ppm}} for state, ppm in _US.items()),
    *({"country": country, "rates": {"standard": ppm}} for country, ppm in _ABROAD.items()),
]
TERMS = (
    "We charge your card when every bottle of your order is here, or is confirmed to reach us within two business "
    "days; not before. By ordering you agree that we keep your card with our payment processor until then and charge "
    "it once, for the total shown. If we cannot ship as promised we ask you first, and you may cancel at no cost until "
    "the parcel has left. Wine is sold to adults of legal drinking age only; the carrier asks for an adult's signature."
)
SETTINGS = {
    "name": SHOP_NAME,
    "address": ["1180 Vintner's Alley", "Napa, CA 94559", "United States"],
    "tax_number": "Seller's permit SR-000-555-0100",
    "email": "shop@example.com",
    "phone": "+1 707 555 0100",
    "currency": "USD",
    "timezone": TIMEZONE,
    "zones": ZONES,
    "deliveries": [
        {"method": GROUND, "price": 1500, "days": 3, "carrier": "UPS"},
        {"method": EXPRESS, "price": 3500, "days": 1, "carrier": "FedEx"},
        {"method": PICK_UP, "price": 0, "days": 0},
    ],
    "cut_offs": [{"carrier": "FedEx", "at": "15:30"}, {"carrier": "UPS", "at": "16:30"}],
    "not_served": [
        {"country": "US", "state": "UT", "reason": "Utah does not let us send wine to a private address."},
        {"country": "US", "state": "DE", "reason": "Delaware does not let us send wine to a private address."},
    ],
    "terms": TERMS,
}


def open_shop() -> dict[str, Actor]:
    """Settings, staff, suppliers, products and the first stock, in one transaction. Gives the staff by e-mail address.

    What is there already is left alone, so that it may be called again.
    """
    with writing():
        if not User.objects.exists():
            shop.change(**SETTINGS)
            # One password for all of them, public anyway: hashed once, because hashing is slow by design.
            password = make_password(DEMO_PASSWORD)
            User.objects.bulk_create(User(email=p.email, name=p.name, role=p.role, password=password) for p in STAFF)
        staff: dict[str, Actor] = {user.email: user.actor for user in User.objects.all()}
        buyer = staff["buyer@example.com"]
        known = set(Supplier.objects.values_list("name", flat=True))
        for supplier in SUPPLIERS:
            if supplier.name not in known:
                made = create_supplier(
                    actor=buyer, name=supplier.name, email=supplier.email, lead_time_days=supplier.lead_days
                )
                Supplier.objects.filter(pk=made.pk).update(minimum=supplier.minimum_order)
        _fill_shelves(buyer)
    return staff


def _fill_shelves(buyer: Actor) -> None:
    names = {s.key: s.name for s in SUPPLIERS}
    known = set(Product.objects.values_list("sku", flat=True))
    things: list[Wine | Accessory] = [*WINES, *ACCESSORIES]
    for thing in things:
        if thing.sku in known:
            continue
        made = _create(thing, buyer, names[thing.supplier])
        if thing.on_hand:
            adjust_stock(
                actor=buyer, sku=thing.sku, quantity=thing.on_hand, reason="Counted when the shop opened",
                bin=thing.bin,
            )  # fmt: skip
            # Nobody waits for a bottle yet.
            jobs.settle("sourcing.fill", str(made.pk))


def _create(thing: Wine | Accessory, buyer: Actor, supplier: str) -> Product:
    wine = thing if isinstance(thing, Wine) else None
    return create_product(
        actor=buyer,
        sku=thing.sku,
        name=thing.title,
        price=thing.price,
        currency="USD",
        weight_g=thing.weight_g,
        supplier=supplier,
        cost=thing.cost,
        lead_time_days=thing.lead_days,
        sell_when_out=thing.sell_when_out,
        age_restricted=thing.age_restricted,
        family={
            "producer": wine.producer,
            "name": wine.name,
            "vintage": wine.vintage,
            "size": f"{wine.size_ml} ml" if wine.bottles == 1 else f"{wine.bottles} × {wine.size_ml} ml",
        }
        if wine
        else None,
        bin=thing.bin,
        description=thing.description,
        art=label_svg(thing) if isinstance(thing, Wine) else accessory_svg(thing),
        reorder_point=thing.reorder_point,
        region=wine.region if wine else "",
        grape=wine.grape if wine else "",
    )

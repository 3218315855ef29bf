"""The order and its axes, one file an axis."""

from counterfoil.records.orders.models.amendment import Amendment
from counterfoil.records.orders.models.books import BOOKS
from counterfoil.records.orders.models.contact import Contact
from counterfoil.records.orders.models.money import MONEY, Charge, PayLink, Refund
from counterfoil.records.orders.models.order import Line, Order, Part
from counterfoil.records.orders.models.parcel import PARCEL, Package, Shipment
from counterfoil.records.orders.models.promise import Notice, Promise
from counterfoil.records.orders.models.question import Call, Offered, Proposal
from counterfoil.records.orders.models.review import REVIEW, Hold
from counterfoil.records.orders.models.stock import STOCK

AXES = {m.axis: m for m in (STOCK, MONEY, PARCEL, BOOKS)}

__all__ = [
    "AXES", "BOOKS", "MONEY", "PARCEL", "REVIEW", "STOCK", "Amendment", "Call", "Charge", "Contact", "Hold", "Line",
    "Notice", "Offered", "Order", "Package", "Part", "PayLink", "Promise", "Proposal", "Refund", "Shipment",
]  # fmt: skip

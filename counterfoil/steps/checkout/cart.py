"""The cart: quantities by SKU in the customer's signed session. It promises nothing and holds no stock."""

from __future__ import annotations

from django.http import HttpRequest

MOST_LINES = 50
MOST_UNITS = 999


def read_cart(request: HttpRequest) -> dict[str, int]:
    """What is in the cart; empty for a visitor without one."""
    kept = request.session.get("cart")
    return {str(k): int(v) for k, v in kept.items()} if isinstance(kept, dict) else {}


def put(request: HttpRequest, sku: str, quantity: int) -> None:
    """Set how many of a product are wanted; zero takes it out. Beyond fifty products or 999 units nothing is added."""
    cart = read_cart(request)
    if quantity <= 0:
        cart.pop(sku, None)
    elif sku in cart or len(cart) < MOST_LINES:
        cart[sku] = min(quantity, MOST_UNITS)
    request.session["cart"] = cart


def empty(request: HttpRequest) -> None:
    """Nothing is wanted any more."""
    request.session.pop("cart", None)

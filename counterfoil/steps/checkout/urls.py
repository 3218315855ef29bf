"""The shop's addresses."""

from django.urls import path

from counterfoil.steps.checkout import pages

urlpatterns = [
    path("", pages.home, name="shop"),
    path("products/<path:sku>/label.svg", pages.label, name="label"),
    path("products/<path:sku>", pages.product, name="product"),
    path("cart", pages.cart_page, name="cart"),
    path("cart/add", pages.cart_add, name="cart-add"),
    path("cart/update", pages.cart_update, name="cart-update"),
    path("checkout", pages.checkout, name="checkout"),
]

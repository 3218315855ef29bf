"""A product that a form names by its SKU: by heart, or nearly; what was meant is proposed and never guessed."""

from __future__ import annotations

from counterfoil.core.errors import Invalid
from counterfoil.core.text import clean_sku
from counterfoil.desk.reading import Form, text_of
from counterfoil.records.catalogue.models import Product
from counterfoil.steps.checkout import shelf

FEW = 4


def sku_of(form: Form, name: str) -> str:
    """The SKU in a form's field; "" when nothing is there.

    Raises Invalid at the field for one that no product has, with those of which these letters are.
    """
    text = text_of(form, name, kind=clean_sku)
    if not text or Product.objects.filter(sku=text).exists():
        return text
    meant = [f"{o.product.sku} ({o.product.name})" for o in shelf.offers(text, limit=FEW, by_sku=True)]
    raise Invalid((name, f"there is no product {text}" + (f"; perhaps {', '.join(meant)}" if meant else "")))

"""The shop window asks the database as often for three hundred wines as for thirty."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from counterfoil.records.catalogue.models import Family, Product
from counterfoil.records.stock.models import Balance
from counterfoil.steps.checkout import search

pytestmark = pytest.mark.django_db


def cellar(count: int) -> None:
    """So many listed wines, a third of them in stock."""
    start = Product.objects.count()
    families = Family.objects.bulk_create(
        Family(
            producer=f"Maker {n // 5 % 40}",
            name=f"Wine {start + n}",
            region=f"Region {n % 25}",
            grape=f"Grape {n % 30}",
        )
        for n in range(0, count, 5)
    )
    made = Product.objects.bulk_create(
        Product(
            sku=f"W-{start + n}", name=f"{families[n // 5].producer} {families[n // 5].name} {2010 + n % 14}",
            family=families[n // 5], vintage=2010 + n % 14, price=1000 + n % 90 * 100, currency="USD",
            description="Sour cherry and cold tea, with a floor of wet leaves; drink it with friends.",
        )
        for n in range(count)
    )  # fmt: skip
    Balance.objects.bulk_create(Balance(product=p, on_hand=9 if n % 3 == 0 else 0) for n, p in enumerate(made))


def test_a_search_costs_as_many_statements_however_many_wines_there_are() -> None:
    asked = []
    Client().get("/")  # settings and the like are read once
    for more in (30, 270):
        cellar(more)
        search.forget()
        for address in ("/", "/?q=maker+3&producer=Maker+3&low=10&sort=low"):
            with CaptureQueriesContext(connection) as found:
                page = Client().get(address).content.decode()
            assert 'class="shelf"' in page, address
            asked.append(len(found))
    assert max(asked) <= 12
    assert max(asked) - min(asked) <= 3  # settings and clock are read anew every two seconds


def test_a_page_of_a_search_leads_to_the_next_with_all_that_was_asked() -> None:
    cellar(90)
    page = Client().get("/?q=wine&sort=low").content.decode()
    assert "q=wine&amp;sort=low&amp;page=2" in page
    assert Client().get("/?q=wine&sort=low&page=2").status_code == 200
    assert "Nothing found" in Client().get("/?q=zinfandel").content.decode()
    assert "4111 1111" not in Client().get("/?q=4111+1111+1111+1111").content.decode()

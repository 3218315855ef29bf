"""Finding customers as somebody types. Every branch is a look-up on an index of its own."""

from __future__ import annotations

from django.db.models.expressions import RawSQL

from counterfoil.core.db import is_postgres
from counterfoil.core.text import storable
from counterfoil.records.customers.keys import fold, phone_beginnings, says_phone
from counterfoil.records.customers.models import Customer

LIMIT = 8
LAST = "\U0010ffff"


def find_customers(text: str, *, country: str, limit: int = LIMIT) -> list[Customer]:
    """Customers whose telephone number, name, last name or e-mail address begins like this: one statement.

    `country`: the shop's, for numbers that are given without the country's code.
    """
    typed = text.strip()[:100]
    if len(typed) < 2 or not storable(typed):
        return []
    if says_phone(typed):
        wanted = [("phone_key", key) for key in phone_beginnings(typed, country)]
    else:
        folded = fold(typed)
        wanted = [("email_key", typed.lower()), ("name_key", folded), ("last_key", folded)]
    wanted = [(column, key) for column, key in wanted if key]
    if not wanted:
        return []
    branches, params = [], list[str]()
    for i, (column, key) in enumerate(wanted):
        condition, given = _begins(column, key)
        where = f"FROM customers_customer WHERE {condition} ORDER BY {column} LIMIT {int(limit)}"
        branches.append(f"SELECT id FROM (SELECT id {where}) AS b{i}")
        params += given
    ids = RawSQL(" UNION ".join(branches), params)  # noqa: S611 (no text of others in it)
    return list(Customer.objects.filter(pk__in=ids).order_by("name_key", "pk")[:limit])


def _begins(column: str, key: str) -> tuple[str, list[str]]:
    """A condition that each database answers from its index."""
    if is_postgres():
        escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{column} LIKE %s", [f"{escaped}%"]
    return f"{column} >= %s AND {column} < %s", [key, key + LAST]

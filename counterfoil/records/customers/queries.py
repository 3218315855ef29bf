"""Finding customers as somebody types. Every branch is a look-up on an index of its own."""

from __future__ import annotations

from django.db.models.expressions import RawSQL

from counterfoil.core.db import is_postgres
from counterfoil.core.text import storable
from counterfoil.records.customers.keys import fold, phone_beginnings, says_phone
from counterfoil.records.customers.models import Customer

LIMIT = 8
LAST = "\U0010ffff"
_NAMES = ("name_key", "last_key")


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
        wanted = [("email_key", typed.lower()), *((column, fold(typed)) for column in _NAMES)]
    wanted = [(column, key) for column, key in wanted if key]
    if not wanted:
        return []
    ids = RawSQL(*_ids(wanted, limit))  # noqa: S611 (no text of others in it)
    return list(Customer.objects.filter(pk__in=ids).order_by("name_key", "pk")[:limit])


def ids_by_name(text: str, *, limit: int) -> tuple[str, list[str]] | None:
    """SQL for the ids of customers whose name or last name begins like this, with its parameters.

    None where no name begins so, however many customers there are.
    """
    folded = fold(text)
    return _ids([(column, folded) for column in _NAMES], limit) if len(folded) >= 2 and storable(folded) else None


def _ids(wanted: list[tuple[str, str]], limit: int) -> tuple[str, list[str]]:
    branches, params = [], list[str]()
    for i, (column, key) in enumerate(wanted):
        condition, given = _begins(column, key)
        where = f"FROM customers_customer WHERE {condition} ORDER BY {column} LIMIT {int(limit)}"
        branches.append(f"SELECT id FROM (SELECT id {where}) AS b{i}")
        params += given
    return " UNION ".join(branches), params


def _begins(column: str, key: str) -> tuple[str, list[str]]:
    """A condition that each database answers from its index."""
    if is_postgres():
        escaped = key.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{column} LIKE %s", [f"{escaped}%"]
    return f"{column} >= %s AND {column} < %s", [key, key + LAST]

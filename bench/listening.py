"""What a piece of work says to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def listening() -> Iterator[list[dict[str, Any]]]:
    """Within the block, every statement of this thread's connection goes into the list, as {"sql", "params"}."""
    said: list[dict[str, Any]] = []

    def wrapper(execute: Callable[..., Any], sql: str, params: Sequence[Any], many: bool, context: Any) -> Any:
        said.append({"sql": sql, "params": list(params or ())})
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield said

"""Each part of core by itself, on a database of its own kind; prepared once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.place import database
from tests.faults.storm import Nursery


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def _shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp(request.param)
    with database(request.param, folder) as url:
        nursery = Nursery(url, folder)
        try:
            yield nursery
        finally:
            nursery.close()


@pytest.fixture
def nursery(_shop: Nursery) -> Iterator[Nursery]:
    """Hands on one database; none of them outlives the test."""
    yield _shop
    _shop.clear()

from __future__ import annotations

import pytest

from counterfoil.core import journal


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests tell of one act each: what flow does after it (the pick list, the invoice) is told elsewhere."""
    monkeypatch.setattr(journal, "_advance_now", None)

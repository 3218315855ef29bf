"""The processor that the contract is held against: the sandbox's process."""

from __future__ import annotations

import pytest
import requests

from counterfoil.gateways.card.stripe.gateway import StripeGateway
from counterfoil.gateways.card.tests.build import SECRET


@pytest.fixture
def processor(sandbox_url: str) -> StripeGateway:
    requests.delete(f"{sandbox_url}/_faults", timeout=10)
    return StripeGateway("sk_test_sandbox", sandbox_url, SECRET)

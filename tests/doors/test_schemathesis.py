"""Every door of the API, asked with data that its own description allows and forbids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from counterfoil.flow.verify import judge_all
from counterfoil.shell.api import api
from counterfoil.shell.wsgi import application
from tests.support import Api, order_body, product

pytestmark = pytest.mark.django_db

doors = schemathesis.openapi.from_dict(api.get_openapi_schema())
doors.app = application
PROMISES = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def owner() -> Iterator[Api]:
    """The owner's key, a product and an order to act on; whatever a door was asked, the books agree afterwards."""
    made = Api("owner")
    product(made, "0", stock=5)
    made.done("/orders", order_body(("0", 1)))
    # A request that ends closes a connection that is inside a transaction; here that is the test's own.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield made
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    assert judge_all() == []


@doors.parametrize()
@settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_door_answers_as_it_is_described(case: schemathesis.Case[Any], owner: Api) -> None:
    answer = case.call(headers={"Authorization": f"Bearer {owner.key}"})
    case.validate_response(answer, checks=PROMISES)

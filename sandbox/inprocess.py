"""Stripe's SDK and a `Processor` in one process: for simulations that want no socket, no thread and one clock.

client = stripe.StripeClient("sk_test_sandbox", http_client=InProcess(processor), max_network_retries=0)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe

from sandbox import params
from sandbox.processor import Processor


class InProcess(stripe.HTTPClient):
    """Calls the processor as a function. A lost answer is `stripe.APIConnectionError`, as on a wire."""

    name = "in-process"

    def __init__(self, processor: Processor) -> None:
        super().__init__()
        self._processor = processor

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One call; the body as text, the status, the headers."""
        parts = urlsplit(url)
        form = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        given = params.nest([*parse_qsl(parts.query, True), *parse_qsl(form, True)])
        key = next((value for name, value in (headers or {}).items() if name.lower() == "idempotency-key"), None)
        answer = self._processor.call(method.upper(), parts.path, given, key=key)
        if answer.lost:
            raise stripe.APIConnectionError("The connection broke before the answer came.")  # type: ignore[no-untyped-call]
        return json.dumps(answer.body), answer.status, {name.lower(): v for name, v in answer.headers.items()}

    def close(self) -> None:
        """Nothing is open."""

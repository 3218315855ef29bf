"""A card processor really running, and a shop's end of it: Stripe's own SDK and a receiver of webhooks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import requests
import stripe

ROOT = Path(__file__).parents[2]
SECRET = "whsec_of_these_tests"
DAY = 86_400


class Receiver:
    """The shop's webhook door: keeps what comes, answers with the statuses it is told (then 200)."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.answers: list[int] = []
        receiver = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status == 200:
                    receiver.bodies.append(body)
                    receiver.signatures.append(self.headers["Stripe-Signature"])
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Door)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/webhooks/stripe"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def events(self, kind: str) -> list[Any]:
        """The data objects of the events of this type, their signatures verified by Stripe's SDK."""
        found = []
        for body, signature in zip(self.bodies, self.signatures, strict=True):
            stripe.Webhook.construct_event(body, signature, SECRET)
            event = json.loads(body)
            if event["type"] == kind:
                found.append(event)
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


T = TypeVar("T")


def wait_for(look: Callable[[], T], seconds: float = 15.0) -> T:
    """The first true answer of `look`; fails if there is none in time."""
    end = time.monotonic() + seconds
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def envelope(refusal: stripe.StripeError) -> Any:
    """The `error` object that the SDK found in the answer."""
    assert refusal.error is not None
    return refusal.error


class Sandbox:
    """`python -m sandbox.processor` as a subprocess."""

    def __init__(self, data: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "sandbox.processor", "--port", "0", "--data", str(data), *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert "ready at http://" in ready, ready
        self.url = ready.split()[-1]
        self.stripe = stripe.StripeClient(
            "sk_test_sandbox",
            base_addresses={"api": self.url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=20),
        )

    # -- the doors for tests

    def ledger(self) -> dict[str, Any]:
        return dict(requests.get(f"{self.url}/_ledger", timeout=10).json())

    def summary(self) -> list[dict[str, Any]]:
        return list(requests.get(f"{self.url}/_ledger?summary=1", timeout=10).json()["payment_intents"])

    def clock(self, offset_seconds: Any) -> requests.Response:
        return requests.post(f"{self.url}/_clock", json={"offset_seconds": offset_seconds}, timeout=10)

    def later(self, seconds: int) -> None:
        """Move business time on."""
        now = requests.get(f"{self.url}/_clock", timeout=10).json()["offset_seconds"]
        assert self.clock(now + seconds).status_code == 200

    def fault(self, kind: str, **more: Any) -> None:
        answer = requests.post(f"{self.url}/_faults", json={"kind": kind, **more}, timeout=10)
        assert answer.status_code == 200, answer.text

    def healthy(self) -> None:
        requests.delete(f"{self.url}/_faults", timeout=10)

    # -- what a shop does

    def saved_card(self, name: str = "pm_card_visa") -> dict[str, Any]:
        """A new customer with this card saved: the parameters `customer` and `payment_method` of a charge."""
        customer = self.stripe.v1.customers.create({"email": "mara.lindqvist@example.com"})
        setup = self.stripe.v1.setup_intents.create(
            {"customer": customer.id, "payment_method": name, "confirm": True, "usage": "off_session"}
        )
        assert setup.status == "succeeded"
        return {"customer": customer.id, "payment_method": setup.payment_method}

    def charge(self, saved: dict[str, Any], amount: int = 4_200, key: str | None = None, **more: Any) -> Any:
        """Charge a saved card off session; `more` are further parameters."""
        params: Any = {"amount": amount, "currency": "usd", "confirm": True, "off_session": True, **saved, **more}
        return self.stripe.v1.payment_intents.create(params, {"idempotency_key": key} if key else {})

    def stop(self) -> int:
        """SIGTERM, as a supervisor does."""
        self.process.terminate()
        return self._gone()

    def kill(self) -> int:
        """SIGKILL, as a crash does."""
        self.process.kill()
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait(timeout=10)
        if self.process.stdout:
            self.process.stdout.close()
        return code

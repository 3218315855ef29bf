"""What stories and door tests are told with: an API client, a shop to fill, the sandbox processor."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.test import Client

from counterfoil.core import jobs
from counterfoil.core.access.keys import make_key

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = {
    "name": "Zoë Brontë",
    "street": "12 Vine Street",
    "city": "Napa",
    "postcode": "94558",
    "state": "CA",
    "country": "US",
}


def png(width: int, height: int, *, noise: random.Random | None = None) -> bytes:
    """A picture: stripes, half of them clear, or as many colours as it has points."""
    stripe = b"".join(bytes((123, 30, 63, 255 if x // 40 % 2 else 0)) for x in range(width))
    rows = (b"\0" + (noise.randbytes(width * 4) if noise else stripe) for _ in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@dataclass
class Answer:
    """Status and body of an API answer."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def codes(self) -> set[str]:
        """The codes of its blockers."""
        return {b["code"] for b in self.body.get("blockers", [])}

    @property
    def fields(self) -> set[str]:
        """The fields that were wrong."""
        return {e["field"] for e in self.body.get("errors", [])}


class Api:
    """The public API, asked with a key of one role."""

    def __init__(self, role: str = "owner", name: str = "") -> None:
        self.key = make_key(name or f"{role}'s key", role)
        self._client = Client()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Authorization": f"Bearer {self.key}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        found = self._client.generic(method, f"/api/v1{path}", raw, content_type="application/json", headers=sent)
        kind = found.headers.get("Content-Type", "")
        content = json.loads(found.content) if "json" in kind and found.content else found.content
        return Answer(found.status_code, content, dict(found.headers))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def done(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST, and insist that it worked."""
        found = self.post(path, body, **headers)
        assert 200 <= found.status < 300, (path, found.status, found.body)
        return found.body

    def order(self, number: str) -> Any:
        found = self.get(f"/orders/{number}")
        assert found.status == 200, found.body
        return found.body


def product(api: Api, sku: str = "PINOT-21", *, stock: int = 0, **more: Any) -> Any:
    """A wine on sale, with bottles on the shelf."""
    made = api.done("/products", {"sku": sku, "name": f"Wine {sku}", "price": 2500, "currency": "USD", **more})
    if stock:
        api.done("/stock", {"sku": sku, "quantity": stock, "reason": "opening stock"})
    return made


_counter = iter(range(1, 10**9))


def order_body(*lines: tuple[str, int], card: str | None = "pm_card_visa", **more: Any) -> dict[str, Any]:
    """An order as a web shop would send it."""
    payment = {"method": "card", "payment_method": card} if card else {"method": "on_delivery"}
    return {
        "channel": "web",
        "reference": f"R-{next(_counter)}",
        "currency": "USD",
        "customer": {"name": "Zoë Brontë", "email": f"zoe{next(_counter)}@example.com"},
        "shipping_address": ADDRESS,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in (lines or (("PINOT-21", 2),))],
        "shipping": {"method": "Ground", "price": 1500},
        "payment": payment,
        **more,
    }


def settle() -> None:
    """Let everything that is owed happen: what a worker would do in the next second."""
    jobs.drain(worker="story")


@contextmanager
def process(*command: str, ready: str) -> Iterator[str]:
    """A process of ours; yields the line that says it is ready, and ends it by its own handle."""
    started = subprocess.Popen(
        [sys.executable, "-u", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert started.stdout is not None
        said: list[str] = []
        for line in started.stdout:
            said.append(line)
            if ready in line:
                break
        else:
            raise RuntimeError(f"{command} did not start:\n{''.join(said)}")
        threading.Thread(target=_swallow, args=(started,), daemon=True).start()
        yield said[-1]
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _swallow(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    for _ in started.stdout:
        pass

"""The card processor as a process: HTTP in front of `Processor`, webhooks behind it.

python -m sandbox.processor --port N --data DIR [--webhook-url URL --webhook-secret whsec_x]
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hmac
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from sandbox import params
from sandbox.doors import Doors, as_json
from sandbox.errors import ApiError
from sandbox.pages import HostedPages
from sandbox.processor import Processor
from sandbox.store import connect
from sandbox.webhooks import Courier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LARGEST_BODY = 1_000_000  # bytes
_ROUTES = Map(
    [
        Rule("/pay/<identifier>", methods=["GET", "POST"], endpoint="pay"),
        Rule("/authenticate/<identifier>", methods=["GET", "POST"], endpoint="authenticate"),
    ]
)


class Application:
    """WSGI: the API, the hosted pages, and the doors for tests (which have no key: bind to the loopback only)."""

    def __init__(self, processor: Processor, *, api_key: str, shop: str) -> None:
        self._processor = processor
        self._api_key = api_key
        self._pages = HostedPages(processor, shop)
        self._doors = Doors(processor)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = LARGEST_BODY
        request.max_form_parts = 2_000
        try:
            response = self._api(request) if request.path.startswith("/v1/") else self._other(request)
        except ApiError as refusal:
            response = as_json(refusal.body, refusal.status)
        except HTTPException as problem:
            response = as_json(
                {"error": {"type": "invalid_request_error", "message": problem.name}}, problem.code or 500
            )
        return response(environ, start_response)

    def _api(self, request: Request) -> Response:
        if not self._knows(request):
            message = "Invalid API key: give the secret key as Bearer token or Basic user."
            return as_json({"error": {"type": "invalid_request_error", "message": message}}, 401)
        given = params.nest([*request.args.items(multi=True), *request.form.items(multi=True)])
        key = request.headers.get("Idempotency-Key")
        answer = self._processor.call(request.method, request.path, given, key=key)
        if answer.lost:
            drop(request)
        headers = {**answer.headers, **({"Idempotency-Key": key} if key else {})}
        return as_json(answer.body, answer.status, headers)

    def _knows(self, request: Request) -> bool:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(value.strip().encode(), self._api_key.encode())

    def _other(self, request: Request) -> Response:
        if not request.path.startswith(("/pay/", "/authenticate/")):
            return self._doors.answer(request)
        endpoint, values = _ROUTES.bind_to_environ(request.environ).match()
        if endpoint == "pay":
            return self._pages.pay(request, values["identifier"])
        return self._pages.authenticate(request, values["identifier"])


def drop(request: Request) -> None:
    """Close the connection under the answer: the caller sees it break, and cannot know what was done."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)


class _Quiet(WSGIRequestHandler):
    """No access log: the calls are in the ledger."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def log(
        self,
        type: str,  # noqa: A002 - the base class names it
        message: str,
        *args: Any,
    ) -> None:
        if type == "error":
            super().log(type, message, *args)

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Callers may hang up; a lost answer means to."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Silent."""


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.processor", description="A card processor for tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--data", type=Path, required=True, help="folder for the database")
    parser.add_argument("--webhook-url", help="where events are posted")
    parser.add_argument("--webhook-secret", default="whsec_sandbox")
    parser.add_argument("--public-url", help="where customers reach the hosted page; default: this server")
    parser.add_argument("--api-key", default="sk_test_sandbox")
    parser.add_argument("--shop-name", default="Counterfoil demo shop")
    parser.add_argument("--seed", help="makes ids and chance repeatable (fixed when the database is made)")
    return parser.parse_args(arguments)


def _keep_time(processor: Processor, stop: threading.Event) -> None:
    """What the clock brings happens without a call, too."""
    while not stop.wait(1.0):
        processor.tick()


class Bank:
    """A processor that is being served at `address`. `serve` blocks until `stop`; `close` gives everything back."""

    def __init__(self, options: argparse.Namespace) -> None:
        options.data.mkdir(parents=True, exist_ok=True)
        self._server = _bind(options)
        self.address = f"http://{options.host}:{self._server.server_port}"
        self._connection = connect(options.data / "processor.sqlite3")
        self._processor = Processor(
            self._connection,
            seed=options.seed,
            webhooks=bool(options.webhook_url),
            public_url=options.public_url or self.address,
        )
        self._server.app = Application(self._processor, api_key=options.api_key, shop=options.shop_name)
        store, url = self._processor.store, options.webhook_url
        self._courier = Courier(store, url, options.webhook_secret) if url else None
        self._stopped = threading.Event()
        self._timekeeper = threading.Thread(target=_keep_time, args=(self._processor, self._stopped), daemon=True)

    def serve(self) -> None:
        """Answer calls and let time pass until `stop`."""
        if self._courier:
            self._courier.start()
        self._timekeeper.start()
        self._server.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        """Let `serve` return. Not to be called in the thread that serves."""
        self._stopped.set()
        self._server.shutdown()

    def close(self) -> None:
        """After `serve` has returned: the port, the threads and the database."""
        self._server.server_close()
        if self._courier:
            self._courier.stop()
        self._timekeeper.join(timeout=2)
        with self._processor.store.lock:
            self._connection.close()


@contextmanager
def at_hand(folder: Path, *, api_key: str) -> Iterator[str]:
    """A bank in threads of this process, for who wants many of them one after the other; gives its address."""
    bank = Bank(_arguments(["--port", "0", "--data", str(folder), "--api-key", api_key]))
    serving = threading.Thread(target=bank.serve, daemon=True)
    serving.start()
    try:
        yield bank.address
    finally:
        bank.stop()
        serving.join(timeout=10)
        bank.close()


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit code 1 if the port is taken."""
    options = _arguments(arguments)
    try:
        bank = Bank(options)
    except (OSError, SystemExit):
        print(f"Port {options.port} is taken: choose another with --port.", file=sys.stderr)
        return 1

    def end(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=bank.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    print(f"sandbox processor ready at {bank.address}", flush=True)
    bank.serve()
    bank.close()
    return 0


def _bind(options: argparse.Namespace) -> BaseWSGIServer:
    """The listening server; its application is set before it serves."""
    server = make_server(options.host, options.port, Response("starting", 503), threaded=True, request_handler=_Quiet)
    server.daemon_threads = True  # type: ignore[attr-defined]
    return server

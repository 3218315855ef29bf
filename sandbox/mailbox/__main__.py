"""Run the mailbox: `python -m sandbox.mailbox --smtp-port N --http-port M --data DIR`."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.mailbox.smtp import server as smtp_server
from sandbox.mailbox.store import Store
from sandbox.mailbox.web import Mailbox


class Quiet(WSGIRequestHandler):
    """Answers without a line in the log for every look into the mailbox."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0 when stopped by them, 2 when a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailbox", description=__doc__)
    parser.add_argument("--smtp-port", type=int, required=True, help="port of the SMTP server on 127.0.0.1")
    parser.add_argument("--http-port", type=int, required=True, help="port of the web page and JSON on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder for the mails, made if it is missing")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for name, port in (("--smtp-port", options.smtp_port), ("--http-port", options.http_port)):
        if taken(port):
            print(f"port {port} is in use; choose another with {name}", file=sys.stderr)
            return 2
    store = Store(options.data)
    smtp = smtp_server(store, options.smtp_port)
    http = make_server("127.0.0.1", options.http_port, Mailbox(store), threaded=True, request_handler=Quiet)
    try:
        serve(smtp, http, stop, f"mailbox ready: smtp 127.0.0.1:{options.smtp_port}, http://127.0.0.1:{http.port}/")
    finally:
        store.close()
    return 0


def taken(port: int) -> bool:
    """Whether something listens on the port already. Asked first, because the servers answer it by different exits."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def serve(smtp: Controller, http: BaseWSGIServer, stop: threading.Event, ready: str) -> None:
    """Run both servers until `stop` is set; mails being received are answered before this returns."""
    smtp.start()
    web = threading.Thread(target=http.serve_forever, name="mailbox-http", daemon=True)
    web.start()
    print(ready, flush=True)
    stop.wait()
    smtp.stop()
    http.shutdown()
    http.server_close()
    web.join(timeout=5)


if __name__ == "__main__":
    sys.exit(main())

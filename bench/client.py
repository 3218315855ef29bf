"""The buyer at the other end of the wire: raw sockets, prepared bodies, so that little of the machine goes into asking.

    python -m bench.client HOST PORT KEY SECONDS THREADS FIRST PRODUCTS

Reads a body from standard input in which `@n@` is a serial number of fixed width and `@p0@`, `@p1@`, `@p2@` are the
last digits of SKUs. Prints JSON: seconds it lasted, milliseconds of each answer, how many were not 201.
"""

from __future__ import annotations

import json
import random
import socket
import sys
import threading
import time

from bench.orders import FIRST_SKU

WIDTH = 10  # digits of a serial number; the length of a request must not change


class Buyer(threading.Thread):
    """One connection, kept alive, one request after the other."""

    def __init__(self, host: str, port: int, head: bytes, body: bytes, first: int, products: int, until: float) -> None:
        super().__init__()
        self.took: list[float] = []
        self.wrong: list[str] = []
        self._socket = socket.create_connection((host, port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request, self._next, self._products, self._until = head + body, first, products, until

    def run(self) -> None:
        chance = random.Random(self._next)
        third = self._products // 3
        while (began := time.perf_counter()) < self._until:
            request = self._request.replace(b"@n@", b"%0*d" % (WIDTH, self._next))
            for i in range(3):
                request = request.replace(b"@p%d@" % i, b"%d" % (FIRST_SKU + i * third + chance.randrange(third)))
            self._next += 1
            self._socket.sendall(request)
            status = self._answer()
            self.took.append((time.perf_counter() - began) * 1000)
            if status != b"201":
                self.wrong.append(status.decode())
        self._socket.close()

    def _answer(self) -> bytes:
        """Read one answer to its end and return its status."""
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        at = got[:end].lower().index(b"content-length:") + 15
        missing = int(got[at : got.find(b"\r", at)]) - (len(got) - end - 4)
        while missing > 0:
            missing -= len(self._more())
        return got[9:12]

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionError("the server has hung up")
        return got


def main() -> None:
    host, port, key, seconds, threads, first, products = sys.argv[1:]
    body = sys.stdin.buffer.read()
    # Written out, a marker is shorter or longer than what takes its place.
    length = len(body) + body.count(b"@n@") * (WIDTH - 3)
    head = (
        f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()
    began = time.perf_counter()
    buyers = [
        Buyer(host, int(port), head, body, int(first) + 10_000_000 * i, int(products), began + float(seconds))
        for i in range(int(threads))
    ]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    took = [round(t, 3) for b in buyers for t in b.took]
    wrong = [w for b in buyers for w in b.wrong]
    print(json.dumps({"seconds": time.perf_counter() - began, "took": took, "wrong": wrong}))


if __name__ == "__main__":
    main()

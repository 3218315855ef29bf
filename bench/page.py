"""The queue page, timed at the server: the WSGI application with every middleware, one request after the other."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.test import Client

from bench.listening import listening
from bench.prepare import EMAIL, PASSWORD
from counterfoil.shell.wsgi import application

PATH = "/desk/queues/review"
WARM = 15


def measure(times: int) -> dict[str, Any]:
    """p50 and p95 in ms of a queue page with fifty orders, the rail's counts, and the slip of the first one."""
    cookie = log_in()["cookie"]
    page = b""
    for _ in range(WARM):
        page, _ = _get(cookie)
    assert len(set(re.findall(rb"CF-\d+", page))) >= 50, "the page does not show fifty orders"
    with listening() as statements:
        _get(cookie)
    took = sorted(_get(cookie)[1] for _ in range(times))
    return {
        "p50_ms": took[len(took) // 2],
        "p95_ms": took[int(len(took) * 0.95)],
        "statements": len(statements),
        "bytes": len(page),
    }


def log_in() -> dict[str, str]:
    """The cookie of somebody at the desk."""
    client = Client()
    answer = client.post("/desk/login", {"email": EMAIL, "password": PASSWORD, "next": "/desk/"})
    assert answer.status_code == 303, answer.content
    name = settings.SESSION_COOKIE_NAME
    return {"cookie": f"{name}={client.cookies[name].value}"}


def _get(cookie: str) -> tuple[bytes, float]:
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": PATH, "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "HTTP_COOKIE": cookie,
        "REMOTE_ADDR": "127.0.0.1", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    status: list[str] = []

    def start(code: str, headers: Any, error: Any = None) -> Callable[[bytes], object]:
        status.append(code)
        return lambda _: None

    began = time.perf_counter()
    answer = application(environ, start)
    body = b"".join(answer)
    took = (time.perf_counter() - began) * 1000
    answer.close()
    assert status[0].startswith("200"), (status, body[:500])
    return body, took

"""How people reach the shop: over HTTP, each from an address of their own, and with a browser at the desk."""

from __future__ import annotations

import http.client
import json
import re
import threading
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LONGEST = 60.0  # seconds that anybody waits for an answer


class Cut(Exception):
    """The line went dead before the answer: what was asked may have been done."""


@dataclass
class Heard:
    """An HTTP answer."""

    status: int
    body: Any
    headers: http.client.HTTPMessage

    @property
    def codes(self) -> set[str]:
        """The codes of its blockers."""
        found = self.body.get("blockers", []) if isinstance(self.body, dict) else []
        return {str(b["code"]) for b in found}


@dataclass
class Street:
    """Where the shop's doors are; what was asked there, and how often the line went dead."""

    shops: list[str]  # host:port of each web process
    mailbox: str
    key: str
    password: str
    home: threading.Event = field(default_factory=threading.Event)  # set: everybody goes home
    asked: int = 0
    cut: int = 0

    def __post_init__(self) -> None:
        self.desk = Desk(self)


def ask(
    host: str, source: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> Heard:
    """One request on a line of its own. Raises Cut."""
    line = http.client.HTTPConnection(host, timeout=LONGEST, source_address=(source, 0))
    try:
        line.request(method, path, body, headers or {})
        found = line.getresponse()
        content = found.read()
        kind = found.headers.get("Content-Type", "")
        return Heard(found.status, json.loads(content) if "json" in kind and content else content, found.headers)
    except (OSError, http.client.HTTPException) as error:
        raise Cut(f"{method} {path}: {type(error).__name__}") from error
    finally:
        line.close()


def give_card(address: str, source: str, card: str) -> Heard:
    """The hosted page: a card is chosen, and the bank's question answered if it asks one."""
    where = urlsplit(address)
    found = ask(where.netloc, source, "POST", where.path, urlencode({"card": card, "terms": "accepted"}).encode(), FORM)
    if found.status == 200 and b"authentication" in found.body:
        found = ask(where.netloc, source, "POST", where.path, urlencode({"authentication": "complete"}).encode(), FORM)
    return found


def link_in_mail(mailbox: str, source: str, email: str) -> str:
    """The token of the order's page, out of the customer's mails; empty while none has come."""
    found = ask(mailbox, source, "GET", f"/messages?{urlencode({'to': email, 'limit': '5'})}")
    for mail in found.body["messages"]:
        link = re.search(r"/orders/([\w-]{20,})", mail["text"] or "")
        if link:
            return link[1]
    return ""


class Desk:
    """The browser at the desk, for everybody: who logs in ten times in five minutes is asked to wait."""

    def __init__(self, street: Street, source: str = "127.0.0.1") -> None:
        self._street, self._source = street, source
        self._cookies: dict[str, str] = {}
        self._keys = threading.Lock()

    def act(self, shop: str, number: str, verb: str, form: dict[str, str]) -> int:
        """Press a button on an order's page; the status. Raises Cut."""
        with self._keys:
            if "counterfoil" not in self._cookies:
                self._send(shop, "GET", "/desk/login")
                entered = {"email": "olga@example.com", "password": self._street.password}
                if self._send(shop, "POST", "/desk/login", entered).status != 303:
                    raise Cut("nobody is let in at the desk")
        return self._send(shop, "POST", f"/desk/orders/{number}/acts/{verb}", form).status

    def _send(self, shop: str, method: str, path: str, form: dict[str, str] | None = None) -> Heard:
        sent = {**(form or {}), "csrfmiddlewaretoken": self._cookies.get("counterfoil_csrf", "")}
        cookies = "; ".join(f"{k}={v}" for k, v in self._cookies.items())
        body = urlencode(sent).encode() if method == "POST" else b""
        found = ask(shop, self._source, method, path, body, {**FORM, "Cookie": cookies})
        for line in found.headers.get_all("Set-Cookie", []):
            self._cookies.update({k: morsel.value for k, morsel in SimpleCookie(line).items()})
        return found

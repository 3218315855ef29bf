"""The mailbox as the shop meets it: a process of its own, spoken to over SMTP and HTTP."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

ROOT = Path(__file__).resolve().parents[3]
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n\x00\xff\xfe binary\r\n.\r\n%%EOF\n"


@dataclass
class Running:
    process: subprocess.Popen[str]
    smtp: int
    http: int

    def fetch(self, path: str) -> tuple[int, dict[str, str], bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read()

    def json(self, path: str) -> Any:
        return json.loads(self.fetch(path)[2])

    def send(self, message: EmailMessage, to: list[str] | None = None) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as client:
            client.send_message(message, to_addrs=to)


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@contextmanager
def started(folder: Path) -> Iterator[Running]:
    smtp, http = free_ports()
    command = [sys.executable, "-m", "sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(http)]
    process = subprocess.Popen(
        [*command, "--data", str(folder)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("mailbox ready"), line + (process.stderr.read() if process.stderr else "")
        yield Running(process, smtp, http)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("mailbox")) as running:
        yield running


def mail(subject: str, to: str = "zoe@example.com", *, message_id: str | None = None) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Counterfoil Wines <shop@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = "Mon, 23 Nov 2026 09:14:00 -0500"
    if message_id:
        message["Message-ID"] = message_id
    message.set_content("Your order ships on Tuesday.\nhttp://127.0.0.1:8000/orders/abc")
    return message


def test_a_mail_with_html_and_an_invoice_arrives_whole(mailbox: Running) -> None:
    message = mail("Rechnung für Łukasz Żółć 🍷", "lukasz@example.com", message_id="<whole@example.com>")
    message.add_alternative('<h1>Grüße</h1><a href="http://127.0.0.1:8000/orders/a?b=1&amp;c=2">Bestellung</a>', "html")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="Facture n° 7.pdf")
    mailbox.send(message)
    [found] = mailbox.json("/messages?to=lukasz@example.com")["messages"]
    assert found["subject"] == "Rechnung für Łukasz Żółć 🍷"
    assert found["message_id"] == "<whole@example.com>"
    assert found["from"] == "Counterfoil Wines <shop@example.com>"
    assert found["to"] == ["lukasz@example.com"]
    assert found["date"] == "2026-11-23T09:14:00-05:00"
    assert found["text"].startswith("Your order ships on Tuesday.\nhttp")
    assert "<h1>Grüße</h1>" in found["html"]
    assert found["attachments"] == [
        {"n": 0, "filename": "Facture n° 7.pdf", "content_type": "application/pdf", "size": len(PDF)}
    ]
    assert mailbox.json(f"/messages/{found['id']}") == found
    status, headers, content = mailbox.fetch(f"/messages/{found['id']}/attachments/0")
    assert (status, headers["Content-Type"], content) == (200, "application/pdf", PDF)
    assert "filename*=UTF-8''Facture%20n%C2%B0%207.pdf" in headers["Content-Disposition"]
    assert mailbox.fetch(f"/messages/{found['id']}/attachments/1")[0] == 404


def test_the_html_of_a_mail_can_neither_run_nor_fetch_anything(mailbox: Running) -> None:
    message = mail("Hostile", "hostile@example.com")
    message.add_alternative("<script>alert(1)</script><p>hello</p>", "html")
    mailbox.send(message)
    [found] = mailbox.json("/messages?to=hostile@example.com")["messages"]
    status, headers, body = mailbox.fetch(f"/messages/{found['id']}/html")
    assert status == 200
    assert b"<p>hello</p>" in body
    assert headers["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_copy_is_kept_and_points_at_the_first(mailbox: Running) -> None:
    for _ in range(3):
        mailbox.send(mail("Shipped", "copy@example.com", message_id="<once@example.com>"))
    third, second, first = mailbox.json("/messages?to=copy@example.com")["messages"]
    assert first["duplicate_of"] is None
    assert second["duplicate_of"] == third["duplicate_of"] == first["id"]


def test_mails_without_a_message_id_are_no_copies_of_each_other(mailbox: Running) -> None:
    for _ in range(2):
        mailbox.send(mail("Anonymous", "noid@example.com"))
    assert [m["duplicate_of"] for m in mailbox.json("/messages?to=noid@example.com")["messages"]] == [None, None]


def test_the_list_is_newest_first_and_can_be_narrowed(mailbox: Running) -> None:
    for number in range(4):
        mailbox.send(mail(f"Ваш заказ {number}", "olga@example.com"))
    every = mailbox.json("/messages?to=OLGA@example.com")["messages"]
    assert [m["subject"][-1] for m in every] == ["3", "2", "1", "0"]
    assert [m["id"] for m in mailbox.json("/messages?to=olga@&limit=2")["messages"]] == [every[0]["id"], every[1]["id"]]
    assert mailbox.json("/messages?to=ga@example.com")["messages"] == [], "a whole address never matches a longer one"
    assert len(mailbox.json(f"/messages?to=olga@example.com&after={every[2]['id']}")["messages"]) == 2
    later = quote(every[1]["received_at"])
    assert [m["id"] for m in mailbox.json(f"/messages?to=olga@example.com&after={later}")["messages"]] == [
        every[0]["id"]
    ]
    assert len(mailbox.json(f"/messages?subject={quote('ВАШ ЗАКАЗ 2')}")["messages"]) == 1


def test_hidden_recipients_are_listed_too(mailbox: Running) -> None:
    mailbox.send(mail("Invoice"), to=["zoe@example.com", "books@example.com"])
    [found] = mailbox.json("/messages?to=books@example.com")["messages"]
    assert found["to"] == ["zoe@example.com", "books@example.com"]
    assert b"books@example.com" not in mailbox.fetch(f"/messages/{found['id']}/raw")[2]


def test_an_address_beyond_ascii_is_accepted(mailbox: Running) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.smtp, timeout=10) as client:
        client.ehlo()
        client.mail("shop@example.com", ["SMTPUTF8"])
        client.rcpt("søren@example.com")
        client.data("Subject: Velkommen Søren\r\nTo: søren@example.com\r\n\r\nHej".encode())
    [found] = mailbox.json(f"/messages?to={quote('søren@example.com')}")["messages"]
    assert found["subject"] == "Velkommen Søren"


def test_a_mail_that_breaks_the_rules_is_kept_as_it_came(mailbox: Running) -> None:
    head = b"Subject: =?no-such-charset?q?=FF?=\r\nDate: yesterday\r\nContent-Type: text/plain; charset=nonsense"
    raw = head + b"\r\n\r\n\xff"
    with smtplib.SMTP("127.0.0.1", mailbox.smtp, timeout=10) as client:
        client.sendmail("shop@example.com", ["broken@example.com"], raw)
    [found] = mailbox.json("/messages?to=broken@example.com")["messages"]
    assert found["date"] is None
    assert found["text"].startswith("\ufffd")
    assert mailbox.fetch(f"/messages/{found['id']}/raw")[2].startswith(raw)
    assert mailbox.fetch(f"/?id={found['id']}")[0] == 200


def test_a_mail_over_five_megabytes_is_refused_and_not_kept(mailbox: Running) -> None:
    message = mail("Too large", "large@example.com")
    message.add_attachment(b"x" * (5 * 1024 * 1024), maintype="application", subtype="octet-stream", filename="x.bin")
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        mailbox.send(message)
    assert refused.value.smtp_code == 552
    assert mailbox.json("/messages?to=large@example.com")["messages"] == []


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


def test_the_page_shows_a_mail_with_relative_links_and_no_script(mailbox: Running) -> None:
    message = mail("<script>x</script> & more", "page@example.com")
    message.add_alternative('<a href="http://127.0.0.1:8000/orders/t?a=1&amp;b=2">Order</a>', "html")
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="invoice.pdf")
    mailbox.send(message)
    [found] = mailbox.json("/messages?to=page@example.com")["messages"]
    status, headers, body = mailbox.fetch("/?to=page@example.com")
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    seen = Links()
    seen.feed(body.decode())
    assert "script" not in seen.tags
    assert "&lt;script&gt;" in body.decode()
    assert f"messages/{found['id']}/html" in seen.links
    assert f"messages/{found['id']}/attachments/0" in seen.links
    assert "http://127.0.0.1:8000/orders/t?a=1&b=2" in seen.links, "the order's link can be followed from the page"
    assert not [link for link in seen.links if link.startswith("/")]
    for link in seen.links:
        if not link.startswith("http"):
            assert mailbox.fetch("/" + link.removeprefix("./"))[0] == 200, link


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/messages?limit=0", 400),
        ("/messages?limit=201", 400),
        ("/messages?limit=ten", 400),
        ("/messages?limit=0000000020000", 400),
        ("/messages?after=soon", 400),
        ("/messages/999999", 404),
        ("/messages/999999999999999999999999", 404),
        ("/messages/999999/raw", 404),
        ("/?id=abc", 404),
        ("/nowhere", 404),
    ],
)
def test_a_wrong_question_gets_a_plain_answer(mailbox: Running, path: str, status: int) -> None:
    code, _, body = mailbox.fetch(path)
    assert code == status
    assert json.loads(body)["error"]


def test_mails_outlive_the_process_and_it_stops_cleanly(tmp_path: Path) -> None:
    with started(tmp_path) as running:
        assert running.json("/healthz") == {"status": "ok", "messages": 0}
        assert b"No mail yet" in running.fetch("/")[2]
        running.send(mail("Kept"))
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=10) == 0
        assert running.process.stderr is not None
        assert running.process.stderr.read() == ""
    with sqlite3.connect(tmp_path / "mailbox.sqlite3") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    with started(tmp_path) as running:
        assert [m["subject"] for m in running.json("/messages")["messages"]] == ["Kept"]


def test_a_port_in_use_is_named(tmp_path: Path, mailbox: Running) -> None:
    command = [sys.executable, "-m", "sandbox.mailbox", "--smtp-port", str(free_ports()[0])]
    done = subprocess.run(
        [*command, "--http-port", str(mailbox.http), "--data", str(tmp_path)],
        cwd=ROOT, text=True, capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert str(mailbox.http) in done.stderr
    assert "--http-port" in done.stderr

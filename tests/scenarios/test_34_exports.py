"""Scenario 34. An export run twice gives the same books; Beancount and hledger accept the file.

Both are oracles: they know nothing of us, and add up what we wrote. hledger is asked where it is installed.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction

from conftest import Mailbox
from counterfoil.core import shop
from counterfoil.core.db import writing
from counterfoil.core.money import plain
from counterfoil.records.books.export import FORMATS
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.books.models import Entry
from counterfoil.records.books.tests.build import some_entries, sums
from counterfoil.shell.cli import main
from tests.scenarios.money import all_is_well, charged, placed, refunded, shipped
from tests.support import Api, product

pytestmark = pytest.mark.django_db
Sums = dict[tuple[str, str], Decimal]


@pytest.fixture
def books(card: str, mailbox: Mailbox) -> None:
    """A week of a shop: sales in four currencies, money given back before and after the invoice, stock lost."""
    with writing():
        shop.change(zones=[{"country": "US", "state": "CA", "rates": {"standard": 72_500}}])
    api = Api()
    product(api, "PINOT-21", stock=500, cost=1111)
    for currency in ("USD", "EUR", "JPY", "KWD"):
        number = placed(api, currency, [("PINOT-21", 3, 1847)], shipping=777)["number"]
        charged(api, number)
        refunded(api, number, amount=110)
        shipped(api, number)
        refunded(api, number, lines=[{"sku": "PINOT-21", "quantity": 1}])
    api.done("/stock", {"sku": "PINOT-21", "quantity": -2, "reason": 'fell; "broken" | \\ = all of it'})
    all_is_well()
    some_entries()  # every account, and texts that would be a command elsewhere


def export(form: str, folder: Path) -> Path:
    out = folder / f"books.{form}"
    assert main(["export-books", "--format", form, "--out", str(out)]) == 0
    return out


def ours() -> Sums:
    return {(CHART[a].full, currency): Decimal(plain(n, currency)) for (a, currency), n in sums().items()}


def by_beancount(file: Path) -> Sums:
    """What Beancount's own library reads: no error, and its sums."""
    entries, errors, _ = loader.load_file(str(file))
    assert errors == []
    made = [entry for entry in entries if isinstance(entry, Transaction)]
    assert [entry.meta["number"] for entry in sorted(made, key=lambda e: e.meta["lineno"])] == numbers()
    found: Sums = {}
    for posting in (p for entry in made for p in entry.postings):
        assert posting.units is not None
        assert posting.units.number is not None
        key = (posting.account, posting.units.currency)
        found[key] = found.get(key, Decimal()) + posting.units.number
    return {key: amount for key, amount in found.items() if amount}


def by_hledger(file: Path) -> Sums:
    """What hledger reads: the strict checks pass, and its balance report's figures."""

    def asked(*arguments: str) -> str:
        command = ["hledger", "-f", str(file), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    asked("check", "--strict")
    listed = csv.DictReader(io.StringIO(asked("print", "-O", "csv")))
    codes = dict.fromkeys(row["code"] for row in listed)
    assert sorted(codes) == sorted(numbers())
    rows = csv.DictReader(io.StringIO(asked("balance", "-N", "--flat", "--layout=bare", "-O", "csv")))
    return {(row["account"], row["commodity"]): Decimal(row["balance"]) for row in rows if Decimal(row["balance"])}


def numbers() -> list[str]:
    return [f"JE-{pk:06}" for pk in Entry.objects.order_by("id").values_list("id", flat=True)]


ORACLES: dict[str, Callable[[Path], Sums]] = {"beancount": by_beancount}
if shutil.which("hledger"):
    ORACLES["hledger"] = by_hledger


def test_other_programs_accept_the_file_and_come_to_our_sums(books: None, tmp_path: Path) -> None:
    for form, read in ORACLES.items():
        assert read(export(form, tmp_path)) == ours()


def test_bean_check_has_nothing_to_say_until_somebody_has_tampered_with_the_file(books: None, tmp_path: Path) -> None:
    file = export("beancount", tmp_path)
    command = [str(Path(sys.executable).parent / "bean-check"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    file.write_text(file.read_text().replace(" 18.47 USD", " 18.48 USD", 1))
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode != 0


def test_an_export_run_twice_is_the_same_to_the_byte(books: None, tmp_path: Path) -> None:
    for form in FORMATS:
        first = export(form, tmp_path).read_bytes()
        assert export(form, tmp_path).read_bytes() == first
        assert first.count(b"JE-") >= Entry.objects.count() // 2

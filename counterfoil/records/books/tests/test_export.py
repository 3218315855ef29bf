"""The books taken along: every format holds the same sums, balances, and says the same however often it is asked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.core import clock, shop
from counterfoil.core.db import writing
from counterfoil.core.money import plain
from counterfoil.records.books.export import FORMATS, books, file_name, xero
from counterfoil.records.books.export.chart import CHART
from counterfoil.records.books.export.journal import Journal, Line, journals
from counterfoil.records.books.models import ACCOUNTS, Entry
from counterfoil.records.books.tests.build import STRANGE, entry, some_entries, sums
from counterfoil.shell.cli import main

pytestmark = pytest.mark.django_db
Sums = dict[tuple[str, str], Decimal]


def text_of(form: str, *, since: date | None = None, until: date | None = None) -> str:
    files, _ = books(form, since=since, until=until)
    return "".join(piece for pieces in files for piece in pieces)


def rows_of(form: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(form), newline="")))


def expected(name: Callable[[str], str], *, only: str = "") -> Sums:
    """Our own sums as a file should have them, by the account's name there and the currency."""
    found = {(account, currency): amount for (account, currency), amount in sums().items() if only in {"", currency}}
    return {
        (name(account), currency): Decimal(plain(amount, currency)) for (account, currency), amount in found.items()
    }


def added_up(rows: list[tuple[str, str, str]]) -> Sums:
    """Account, currency and signed amount of each posting -> what stands on each account."""
    found: Sums = {}
    for account, currency, amount in rows:
        found[account, currency] = found.get((account, currency), Decimal()) + Decimal(amount or "0")
    return {key: amount for key, amount in found.items() if amount}


def test_every_account_that_the_books_know_has_a_number_and_a_name_of_its_own_elsewhere() -> None:
    assert set(ACCOUNTS) <= set(CHART)
    for part in ("code", "name", "full"):
        assert len({getattr(account, part) for account in CHART.values()}) == len(CHART)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_books_give_the_same_file_and_new_entries_only_come_behind(form: str) -> None:
    some_entries()
    first = text_of(form)
    assert text_of(form) == first
    before = Entry.objects.count()
    entry({"card_clearing": 100, "revenue": -100}, text="One more")
    after = text_of(form)
    assert after.startswith(first)
    assert "One more" in after.removeprefix(first)
    assert f"JE-{Entry.objects.order_by('id')[before].pk:06}" in after


@pytest.mark.parametrize("form", FORMATS)
def test_days_add_up_to_the_whole_and_belong_to_the_shop_s_own_calendar(form: str) -> None:
    # Half past eight in the evening of the 10th in California is the 11th elsewhere.
    for moment in (datetime(2031, 3, 9, 12, tzinfo=UTC), datetime(2031, 3, 11, 3, 30, tzinfo=UTC)):
        with clock.at(moment):
            entry({"card_clearing": 100, "revenue": -100}, text=f"Made {moment:%d}")
    the_10th = text_of(form, since=date(2031, 3, 10), until=date(2031, 3, 10))
    assert "Made 11" in the_10th
    assert "Made 09" not in the_10th
    assert "Made" not in text_of(form, since=date(2031, 3, 11))
    assert "Made" not in text_of(form, until=date(2031, 3, 8))
    assert re.search(r"2031-03-10|03/10/2031|10/03/2031", the_10th)


def test_comma_separated_rows_add_up_to_our_accounts() -> None:
    some_entries()
    rows = rows_of("csv")
    sides = [(r["account"], r["currency"], r["debit"] or f"-{r['credit']}") for r in rows]
    assert added_up(sides) == expected(lambda account: CHART[account].code)
    assert not any(r["debit"] and r["credit"] for r in rows)
    assert {r["name"] for r in rows} <= {account.name for account in CHART.values()}
    _balanced([(r["number"], r["currency"], r["debit"] or f"-{r['credit']}") for r in rows])


def test_quickbooks_gets_balanced_journals_with_numbers_short_enough_and_dates_as_it_reads_them() -> None:
    some_entries()
    rows = rows_of("quickbooks")
    assert list(rows[0]) == ["JournalNo", "JournalDate", "Currency", "AccountName", "Debits", "Credits", "Description"]
    sides = [(r["AccountName"], r["Currency"], r["Debits"] or f"-{r['Credits']}") for r in rows]
    assert added_up(sides) == expected(lambda account: CHART[account].name)
    _balanced([(r["JournalNo"], r["Currency"], r["Debits"] or f"-{r['Credits']}") for r in rows])
    assert all(len(r["JournalNo"]) <= 21 and re.fullmatch(r"\d\d/\d\d/\d{4}", r["JournalDate"]) for r in rows)


def test_xero_gets_the_shop_s_own_currency_and_is_told_what_stayed() -> None:
    some_entries()
    files, told = books("xero")
    text = "".join(piece for pieces in files for piece in pieces)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0])[:6] == ["*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount"]
    sides = [(r["*AccountCode"], "USD", r["*Amount"]) for r in rows]
    assert added_up(sides) == expected(lambda account: CHART[account].code, only="USD")
    _balanced([(r["*Narration"], r["*Date"], r["*Amount"]) for r in rows])
    assert (told.entries, told.left_out) == (Entry.objects.count() - 3, 3)
    assert {r["*TaxRate"] for r in rows} == {"Tax Exempt (0%)"}
    # One narration is one journal: two entries with the same words stay two.
    assert len({r["*Narration"] for r in rows}) == told.entries


def test_xero_s_files_are_no_longer_than_it_takes_and_never_cut_a_journal() -> None:
    side = Line(CHART["revenue"], -1, "USD"), Line(CHART["card_clearing"], 1, "USD")
    made = [Journal(f"JE-{n:06}", date(2026, 11, 24), "capture", "CF-1", "x", side) for n in range(1, 401)]
    portions = list(xero.portions(made))
    assert [len(p) for p in portions] == [150, 150, 100]
    assert [entry for portion in portions for entry in portion] == made


def _balanced(sides: list[tuple[str, str, str]]) -> None:
    assert {key: amount for key, amount in added_up(sides).items() if amount} == {}


def test_text_that_a_spreadsheet_would_calculate_is_marked_as_text() -> None:
    some_entries()
    for form, column in (("csv", "text"), ("quickbooks", "Description"), ("csv", "subject")):
        assert not [r[column] for r in rows_of(form) if r[column][:1] in {"=", "+", "-", "@"}]
    assert any(r["text"].startswith("'=HYPERLINK") for r in rows_of("csv"))


def test_entries_come_in_the_order_in_which_they_were_made_with_debits_first() -> None:
    some_entries()
    found = list(journals())
    assert [e.number for e in found] == [
        f"JE-{pk:06}" for pk in Entry.objects.order_by("id").values_list("id", flat=True)
    ]
    assert all([ln.amount < 0 for ln in e.lines] == sorted(ln.amount < 0 for ln in e.lines) for e in found)
    assert [e.text for e in found[-len(STRANGE) :]] == [_on_one_line(text) for text in STRANGE]


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_file_for_its_owner_s_eyes_or_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    some_entries()
    out = tmp_path / "books.beancount"
    assert main(["export-books", "--format", "beancount", "--out", str(out)]) == 0
    assert out.read_text() == text_of("beancount")
    assert out.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["books.beancount"]
    said = capsys.readouterr()
    assert f"{Entry.objects.count()} entries written to {out}" in said.err
    assert main(["export-books", "--format", "csv"]) == 0
    assert capsys.readouterr().out == text_of("csv")


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        (["--format", "sage"], "use one of quickbooks, xero, beancount, hledger, csv"),
        (["--format", "csv", "--from", "2026-11-30", "--to", "2026-11-01"], "2026-11-30 is after 2026-11-01"),
        (["--format", "csv", "--out", str(tmp_path / "no" / "such" / "folder.csv")], "No such file or directory"),
    ):
        assert main(["export-books", *arguments]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export-books", "--format", "csv", "--from", "yesterday"])
    assert "write it as 2026-11-24" in capsys.readouterr().err


def test_xero_s_own_name_for_no_tax_and_its_many_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(160):
        entry({"card_clearing": 100, "revenue": -100}, text=f"Charge {n}")
    out = tmp_path / "books.csv"
    assert main(["export-books", "--format", "xero", "--tax-rate", "No VAT", "--out", str(out)]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["books-2.csv", "books.csv"]
    assert out.read_text().count("No VAT") == 300
    assert (tmp_path / "books-2.csv").read_text().count("No VAT") == 20


def test_a_file_is_named_after_what_is_in_it() -> None:
    november = {"since": date(2026, 11, 1), "until": date(2026, 11, 30)}
    assert file_name("xero", 2, **november) == "books-2026-11-01-2026-11-30-xero-2.csv"
    assert file_name("hledger") == "books-hledger.journal"


def test_a_shop_in_another_currency_exports_that_one_to_xero() -> None:
    with writing():
        shop.change(currency="JPY")
    some_entries()
    files, told = books("xero")
    rows = list(csv.reader(io.StringIO("".join(piece for pieces in files for piece in pieces), newline="")))
    assert told.entries == 1
    assert sorted(r[5] for r in rows[1:]) == ["-10001", "-2339", "12340"]

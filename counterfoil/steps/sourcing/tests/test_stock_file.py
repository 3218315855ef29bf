"""Stock as a file: in as opening stock or as a count, out again, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from counterfoil.core import journal
from counterfoil.flow.verify import units
from counterfoil.gateways.storefront.lines import Raw, read_lines
from counterfoil.records.books.models import Posting
from counterfoil.records.stock.models import Movement, Place
from counterfoil.records.stock.tests.build import at
from counterfoil.shell.stocktaking import export_stock, import_stock
from counterfoil.steps.sourcing.actions import check_stock
from counterfoil.steps.sourcing.models import StockFile
from counterfoil.steps.sourcing.stock_file import digest, take_stock_file
from counterfoil.steps.sourcing.tests.build import BEA, CAROL, a_wine, agree, an_order, balance, kinds, the_line

pytestmark = pytest.mark.django_db
FILE = """sku,bin,lot,best_before,quantity,cost
GULL-19,,,,3,9.50
GULL-19,A-1,L7,2028-05-31,6,8.00
TERN-20,B-2,,,12,0.00
"""


@pytest.fixture(autouse=True)
def _only_this_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_advance_now", None)


def a_file(folder: Path, text: str = FILE, name: str = "stock.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def taken(path: Path, mode: str = "opening") -> tuple[int, str]:
    said: list[str] = []
    return import_stock(path, mode, said.append), "\n".join(said)


def test_a_file_goes_in_and_the_same_file_comes_out(tmp_path: Path) -> None:
    wine, other = a_wine(), a_wine("TERN-20")
    assert taken(a_file(tmp_path)) == (0, "3 places changed, 0 as they were, 0 lines rejected")
    assert at(wine) == {("", ""): (3, 0, 0), ("A-1", "L7"): (6, 0, 0)}
    assert at(other) == {("B-2", ""): (12, 0, 0)}
    export_stock(tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == FILE
    agree()
    assert units.balances() + units.places() == []


def test_what_a_spreadsheet_would_reckon_comes_out_as_text_and_goes_in_as_it_was(tmp_path: Path) -> None:
    wine = a_wine()
    assert taken(a_file(tmp_path, "sku,bin,lot,quantity\nGULL-19,-1,=2+5,3\n"))[0] == 0
    export_stock(tmp_path / "out.csv")
    assert "GULL-19,'-1,'=2+5,,3,9.00\n" in (tmp_path / "out.csv").read_text()
    assert taken(tmp_path / "out.csv", "counted")[1].startswith("0 places changed, 1 as they were")
    assert at(wine) == {("-1", "=2+5"): (3, 0, 0)}


def test_a_line_says_what_the_units_cost_that_it_adds(tmp_path: Path) -> None:
    wine = a_wine(on_hand=2)  # at its catalogue cost, 9.00

    def worth() -> dict[tuple[str, str], int]:
        return {(p.bin, p.lot): p.value for p in Place.objects.filter(product=wine)}

    assert worth() == {("", ""): 1800}
    lines = "sku,lot,quantity,cost\nGULL-19,,3,12.00\nGULL-19,L7,4,8.5\nGULL-19,L8,1,\n"
    assert taken(a_file(tmp_path, lines)) == (0, "3 places changed, 0 as they were, 0 lines rejected")
    assert worth() == {("", ""): 1800 + 3600, ("", "L7"): 3400, ("", "L8"): 900}
    booked = Posting.objects.filter(entry__cause__startswith="stockfile:", account="inventory")
    assert sorted(p.amount for p in booked) == [900, 3400, 3600]
    # Fewer leave at what their lot has cost, whatever the line says; what is there already is worth what it was.
    counted = "sku,lot,quantity,cost\nGULL-19,L7,3,99.00\nGULL-19,L8,1,99.00\nGULL-19,,6,10.00\n"
    assert taken(a_file(tmp_path, counted), "counted")[1].startswith("2 places changed, 1 as they were")
    assert worth() == {("", ""): 5400 + 1000, ("", "L7"): 2550, ("", "L8"): 900}
    export_stock(tmp_path / "out.csv")
    assert "GULL-19,,,,6,10.67\n" in (tmp_path / "out.csv").read_text()
    agree()


@pytest.mark.parametrize("cost", ["many", "-1", "1.005", "NaN", "9" * 30, "1,50"])
def test_a_cost_that_is_none_is_told_at_its_line_and_changes_nothing(tmp_path: Path, cost: str) -> None:
    a_wine()
    path = a_file(tmp_path, f'sku,quantity,cost\nGULL-19,1,"{cost}"\nGULL-19,1,2.00\n')
    code, said = taken(path)
    assert code == 1
    assert "cost: what one costs, in USD, such as 12.50; zero or more" in said
    assert (Place.objects.get().on_hand, Place.objects.get().value) == (1, 200)


@pytest.mark.parametrize("text", ["sku,bin\rA,B\r", f'sku,"{"x" * 200_000}', "", "\xff"])
def test_a_file_whose_first_line_is_no_csv_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="the first line names no column"):
        taken(tmp_path / "odd.csv")


def test_the_same_file_twice_changes_nothing_also_after_the_stock_has_moved(tmp_path: Path) -> None:
    wine = a_wine(on_hand=1)
    path = a_file(tmp_path, "sku,quantity\nGULL-19,6\n")
    assert taken(path, "counted")[0] == 0
    before = Movement.objects.count()
    copy = a_file(tmp_path, path.read_text(), "the same under another name.csv")
    assert "taken in before: nothing was changed" in taken(copy, "counted")[1]
    assert (Movement.objects.count(), at(wine)) == (before, {("", ""): (6, 0, 0)})
    with pytest.raises(ValueError, match="has been taken in as counted"):
        taken(path, "opening")


def test_a_run_that_was_cut_off_goes_on_where_it_stood(tmp_path: Path) -> None:
    wine, other = a_wine(), a_wine("TERN-20")
    path = a_file(tmp_path)

    def until_the_lights_go_out() -> Iterator[Raw]:
        with path.open("rb") as file:
            for raw in read_lines(file):
                if raw.number == 4:
                    raise KeyboardInterrupt
                yield raw

    with pytest.raises(KeyboardInterrupt):
        take_stock_file(
            actor=BEA, name=path.name, content=until_the_lights_go_out(), sha256=digest(path.read_bytes()),
            mode="opening", reject=lambda *_: None,
        )  # fmt: skip
    assert (at(wine), at(other)) == ({("", ""): (3, 0, 0), ("A-1", "L7"): (6, 0, 0)}, {})
    assert taken(path) == (0, "1 places changed, 0 as they were, 0 lines rejected")
    assert (at(wine), at(other)) == ({("", ""): (3, 0, 0), ("A-1", "L7"): (6, 0, 0)}, {("B-2", ""): (12, 0, 0)})


def test_bad_lines_are_told_by_number_and_kept_aside_and_the_others_are_taken(tmp_path: Path) -> None:
    wine = a_wine()
    bad = [
        "GULL-19,A-1,,,-1",
        "NEVER,,,,1",
        "GULL-19,A-1,,31.5.2028,1",
        "GULL-19,A-1",
        "GULL-19,,,,4",
        "GULL-19,,,,1.5",
    ]
    path = a_file(tmp_path, "\n".join(["sku,bin,lot,best_before,quantity", "GULL-19,,,,2", *bad, ""]))
    code, said = taken(path)
    assert code == 1
    for words in (
        "line 3: quantity: a whole number of units from 0", "line 4: sku: there is no product NEVER",
        "line 5: best_before: no date", "line 6: 2 columns", "line 7: line 2 is of the same place", "line 8: quantity",
    ):  # fmt: skip
        assert words in said, said
    assert at(wine) == {("", ""): (2, 0, 0)}
    kept = (tmp_path / "stock.rejects.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in kept] == ["3", "4", "5", "6", "7", "8"]


def test_a_count_below_what_is_promised_reopens_the_newest_promise(tmp_path: Path) -> None:
    a_wine(on_hand=4)
    for number, days in (("CF-1", 2), ("CF-2", 9)):
        an_order(number, {"GULL-19": 2}, ships_in=days)
        check_stock(order=number, actor=CAROL)
    taken(a_file(tmp_path, "sku,quantity\nGULL-19,3\n"), "counted")
    assert (the_line("CF-1").reserved, the_line("CF-2").reserved, balance().on_hand) == (2, 1, 3)
    assert kinds("CF-2")[-1] == "units_lost"
    agree()


def test_a_lot_with_another_date_than_is_known_is_rejected(tmp_path: Path) -> None:
    a_wine()
    path = a_file(tmp_path, "sku,bin,lot,best_before,quantity\nGULL-19,A,L7,2028-05-31,1\nGULL-19,B,L7,2028-06-30,1\n")
    assert "line 3: best_before: lot L7 is good until 2028-05-31" in taken(path)[1]


def test_a_file_without_the_needed_columns_is_no_stock_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no column quantity"):
        taken(a_file(tmp_path, "sku,bin\nGULL-19,A\n"))
    assert not StockFile.objects.exists()

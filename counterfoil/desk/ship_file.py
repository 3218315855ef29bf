"""Reading the file that a carrier's program writes: which column is what, by the words of its header. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from counterfoil.core.cards import mask_cards
from counterfoil.core.errors import Invalid
from counterfoil.core.text import as_cell, storable

MOST_ROWS = 300
MOST_BYTES = 1_000_000
# Headers as carriers' programs write them, without case, spaces and punctuation.
COLUMNS = {
    "order": (
        "order", "orderno", "ordernumber", "orderid", "reference", "reference1", "referenceno", "referencenumber",
        "ref", "ref1", "customerreference", "shipmentreference", "packagereference1", "yourreference", "purchaseorder",
        "ponumber",
    ),
    "tracking": (
        "trackingnumber", "tracking", "trackingno", "trackingid", "trackingcode", "packagetrackingnumber",
        "mastertrackingnumber", "shipmentnumber", "parcelnumber", "consignmentnumber", "waybill", "waybillnumber",
        "barcode",
    ),
    "carrier": ("carrier", "carriername", "shipper", "courier", "carriercode"),
}  # fmt: skip
NAMES = {"order": "the order's number or reference", "tracking": "the tracking number"}


@dataclass(frozen=True)
class FileRow:
    """One parcel of the file; `line` is the row's number in it, from 2 on (1 is the header)."""

    line: int
    order: str
    tracking: str
    carrier: str = ""


def read_file(content: bytes, named: Mapping[str, str]) -> list[FileRow]:
    """The rows of the file. `named` says how columns are called that have a name of their own.

    Raises Invalid: `file` for what is no such file, `column_order` or `column_tracking` when no header fits, with the
    headers that there are.
    """
    if len(content) > MOST_BYTES:
        raise Invalid(("file", "at most 1 MB"))
    text = _text(content)
    first = next(iter(text.lstrip("\r\n").splitlines()), "")
    delimiter = max(",;\t|", key=first.count)
    try:
        # However lines end: those of old Macs end with a carriage return alone.
        read = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
        rows = [row for row in read if any(cell.strip() for cell in row)]
    except csv.Error:
        raise Invalid(("file", "a quotation mark is opened in it and not closed: save it as CSV once more")) from None
    if len(rows) < 2:
        raise Invalid(("file", "a header and at least one row are needed"))
    if len(rows) > MOST_ROWS + 1:
        raise Invalid(("file", f"at most {MOST_ROWS} rows at a time; this has {len(rows) - 1}"))
    at = _columns(rows[0], named)

    def cell(row: list[str], column: str) -> str:
        place = at.get(column)
        return row[place].strip()[:200] if place is not None and place < len(row) else ""

    return [FileRow(n, cell(r, "order"), cell(r, "tracking"), cell(r, "carrier")) for n, r in enumerate(rows[1:], 2)]


def _columns(header: list[str], named: Mapping[str, str]) -> dict[str, int]:
    keys = [_key(name) for name in header]
    found: dict[str, int] = {}
    wrong: list[tuple[str, str]] = []
    for column, known in COLUMNS.items():
        own = _key(named.get(column, ""))
        wanted = (own,) if own else known
        place = next((keys.index(name) for name in wanted if name in keys), None)
        if place is not None:
            found[column] = place
        elif column in NAMES:
            # Masked before it is cut: half a number would not be known for one.
            there = mask_cards(", ".join(name.strip() for name in header if name.strip()))[:200]
            wrong.append((f"column_{column}", f"no column for {NAMES[column]}; there are: {there}"))
    if wrong:
        raise Invalid(*wrong)
    return found


def refused_csv(rows: Iterable[tuple[FileRow, str]]) -> str:
    """The refused rows as a file that can be mended and sent again, each with why."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["order", "tracking number", "carrier", "why not"])
    for row, why in rows:
        writer.writerow([as_cell(value) for value in (row.order, row.tracking, row.carrier, why)])
    return out.getvalue()


def _text(content: bytes) -> str:
    for encoding in (
        ("utf-16", "utf-8-sig", "cp1252")
        if content[:2] in {b"\xff\xfe", b"\xfe\xff"}
        else (
            "utf-8-sig",
            "cp1252",
        )
    ):
        try:
            text = content.decode(encoding)
        except UnicodeError:
            continue
        if storable(text):
            return text
    raise Invalid(("file", "this is no text file: save it as CSV"))


def _key(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())

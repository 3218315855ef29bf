"""What each paper says, and what it keeps to itself."""

from typing import Any

import pytest

from counterfoil.core.papers import KINDS, ContentError, UnknownKind, render
from counterfoil.core.papers.content import Kind
from counterfoil.core.papers.tests.reading import pages, reader, sizes, text
from counterfoil.core.papers.tests.samples import content

PRICED: list[Kind] = ["web-order", "sales-order", "sales-order-copy", "invoice", "credit-note", "purchase-order"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_paper_carries_its_number_and_says_page_n_of_m(kind: Kind) -> None:
    given = content(kind, lines=40)
    printed = pages(render(kind, given))
    for n, page in enumerate(printed, start=1):
        assert given["number"] in page
        assert f"Page {n} of {len(printed)}" in page
    assert len(printed) == 1 if kind == "card-receipt" else len(printed) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_template_makes_a4_and_letter(kind: Kind) -> None:
    given = content(kind)
    assert sizes(render(kind, given)) == {(595, 842)}
    assert sizes(render(kind, given, paper="letter")) == {(612, 792)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_paper_is_tagged_archivable_and_dated_by_its_issue(kind: Kind) -> None:
    document = reader(render(kind, content(kind)))
    root: Any = document.root_object
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712  # pypdf boxes its booleans
    assert root["/Lang"] == "en"
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert "pdfuaid" in metadata
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert document.metadata is not None
    assert document.metadata.creation_date is not None
    assert document.metadata.creation_date.isoformat() == "2026-11-23T16:05:09+00:00"


@pytest.mark.parametrize("kind", KINDS)
def test_a_reprint_says_so_on_every_page_and_a_first_print_never(kind: Kind) -> None:
    given = content(kind, lines=40)
    assert all("REPRINT" in page for page in pages(render(kind, given, reprint=True)))
    assert "REPRINT" not in text(render(kind, given))


def test_the_file_copy_says_what_it_is_and_has_room_for_three_hands() -> None:
    copy = text(render("sales-order-copy", content("sales-order-copy"))).upper()
    for words in ("FILE COPY", "REVIEWED BY", "PICKED BY", "PACKED BY", "WEB ORDER CF-1047 IS ATTACHED"):
        assert words in copy
    customers = text(render("sales-order", content("sales-order"))).upper()
    assert "FILE COPY" not in customers
    assert "ATTACHED" not in customers


def test_a_card_receipt_shows_brand_and_last_four_and_never_an_expiry() -> None:
    given = content("card-receipt")
    given["card"] |= {"expiry": "11/31", "exp_month": 11, "number": "4242424242424242"}
    printed = text(render("card-receipt", given))
    assert "Visa •••• 4242" in printed
    assert "$1,184.20" in printed
    assert "11/31" not in printed
    assert "42424242" not in printed


@pytest.mark.parametrize("last4", ["4242424242424242", "424", "42 42", ""])
def test_a_card_receipt_refuses_anything_but_four_digits_and_does_not_repeat_it(last4: str) -> None:
    given = content("card-receipt")
    given["card"]["last4"] = last4
    with pytest.raises(ContentError) as refused:
        render("card-receipt", given)
    assert refused.value.field == "card.last4"
    assert "4242" not in str(refused.value)


@pytest.mark.parametrize("kind", ["packing-slip", "pick-list"])
def test_papers_of_the_floor_show_no_money_even_when_told_it(kind: Kind) -> None:
    given = content(kind) | {"amount": "$1,184.20", "totals": [{"label": "Total", "amount": "$1,184.20"}]}
    printed = text(render(kind, given))
    assert "$" not in printed
    assert "Alder Ridge Pinot Noir 2021" in printed


@pytest.mark.parametrize("kind", PRICED)
def test_a_paper_with_prices_shows_lines_totals_and_amount(kind: Kind) -> None:
    given = content(kind, lines=5)
    printed = text(render(kind, given))
    for line in given["lines"]:
        assert line["name"] in printed
        assert line["amount"] in printed
    for total in given["totals"]:
        assert total["label"] in printed
        assert total["amount"] in printed


def test_a_pick_list_shows_bins_quantities_the_gift_note_and_the_age_check() -> None:
    given = content("pick-list", lines=5)
    printed = text(render("pick-list", given))
    for line in given["lines"]:
        assert f"{line['bin']} {line['quantity']} {line['name']}" in printed
    assert "Happy birthday, Emily! With love" in printed
    assert "21 or over" in printed
    assert "15 in 5 lines" in printed


def test_a_packing_slip_counts_its_packages() -> None:
    assert "1 of 2" in text(render("packing-slip", content("packing-slip"))).replace("Page 1 of 2", "")


def test_a_credit_note_names_the_invoice_that_it_corrects_and_why() -> None:
    printed = text(render("credit-note", content("credit-note")))
    assert "INV-2026-0412" in printed
    assert "arrived broken" in printed


def test_a_purchase_order_is_known_by_its_own_number_and_hides_who_waits() -> None:
    given = content("purchase-order") | {"order_number": "CF-1047", "bill_to": {"name": "Zoë Brontë", "lines": []}}
    given["ship_to"]["name"] = "Quill & Alder"
    printed = text(render("purchase-order", given))
    assert printed.count("PO-0093") >= 3
    assert "CF-1047" not in printed
    assert "Zoë" not in printed


def test_an_unknown_paper_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(
        UnknownKind, match="unknown paper 'pro-forma'; there are: card-receipt, count-sheet, credit-note"
    ):
        render("pro-forma", content("invoice"))
    assert issubclass(UnknownKind, KeyError)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="a4"):
        render("invoice", content("invoice"), paper="a5")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_field_is_named(kind: Kind) -> None:
    for field in ("shop", "number", "issued_at", "date_text"):
        given = content(kind)
        del given[field]
        with pytest.raises(ContentError, match=f"^{field}: is missing$"):
            render(kind, given)


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("pick-list", ("lines", 2, "bin"), None, "lines[2].bin"),
        ("invoice", ("lines", 0, "quantity"), "2", "lines[0].quantity"),
        ("invoice", ("lines", 0, "quantity"), True, "lines[0].quantity"),
        ("invoice", ("lines", 0, "unit_price"), 1847, "lines[0].unit_price"),
        ("invoice", ("lines",), "none", "lines"),
        ("invoice", ("bill_to",), "Zoë", "bill_to"),
        ("invoice", ("totals", 3, "strong"), "yes", "totals[3].strong"),
        ("invoice", ("issued_at",), "yesterday", "issued_at"),
        ("invoice", ("issued_at",), "2026-11-23T16:05:09", "issued_at"),
        ("invoice", ("order_number",), "Ж-1", "order_number"),
        ("invoice", ("order_number",), "C" * 25, "order_number"),
        ("packing-slip", ("package", "of"), -1, "package.of"),
    ],
)
def test_an_unfit_field_is_named(kind: Kind, path: tuple[str | int, ...], value: object, field: str) -> None:
    given = content(kind)
    place = given
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    place[path[-1]] = value  # type: ignore[index]
    with pytest.raises(ContentError) as refused:
        render(kind, given)
    assert refused.value.field == field


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_that_a_paper_needs_is_enough(kind: Kind) -> None:
    from counterfoil.core.papers.check import _fields
    from counterfoil.core.papers.content import SCHEMAS

    fields = _fields(SCHEMAS[kind])
    given = {key: value for key, value in content(kind).items() if key in fields and fields[key][1]}
    given |= {key: None for key in fields if not fields[key][1]}
    assert given["number"] in text(render(kind, given))

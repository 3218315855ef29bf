"""What a day sheet says."""

from __future__ import annotations

from counterfoil.desk.day_rules import differences, few, gaps, sections

EMPTY: dict[str, object] = {
    "shipped": [], "card": [], "differences": [], "in_hand": [], "open": [],
    "invoices": {"count": 0}, "credit_notes": {"count": 0}, "copies": {"pdf": True, "count": 0},
}  # fmt: skip


def test_a_missing_invoice_number_is_named_also_between_two_days() -> None:
    assert gaps(["INV-0007", "INV-0009"]) == ["INV-0008"]
    assert gaps(["INV-0009"], "INV-0006") == ["INV-0007", "INV-0008"]
    assert gaps(["INV-0007", "INV-0008"], "INV-0006") == gaps([], "INV-0006") == []


def test_each_difference_with_the_processor_is_named_by_its_order() -> None:
    found = differences({"CF-1": 500, "CF-2": 100, "CF-4": 7}, {"CF-2": 90, "CF-3": 40, "CF-4": 7}, "USD", "charged")
    assert [(d["order"], d["amount"]) for d in found] == [("CF-1", 500), ("CF-2", 10), ("CF-3", -40)]
    assert "has not told us of it yet" in found[0]["words"]
    assert "$1.00 in our books, $0.90 at the processor" in found[1]["words"]
    assert "of another day" in found[2]["words"]


def test_a_quiet_day_has_every_section_and_says_so() -> None:
    made = sections(EMPTY)
    assert [s["title"] for s in made] == [
        "Shipped", "By card, against the processor", "In hand", "Invoices and credit notes",
        "File copies for the drawer", "Stays open",
    ]  # fmt: skip
    assert all(s["rows"] for s in made)
    assert made[0]["rows"][0]["what"] == "Nothing was shipped"


def test_a_long_line_of_numbers_is_cut_and_says_how_many_more() -> None:
    assert few([str(n) for n in range(14)]).endswith("11 and 2 more")

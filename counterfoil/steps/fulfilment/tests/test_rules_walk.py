"""What a scan means at a stop."""

from __future__ import annotations

from counterfoil.steps.fulfilment.walk import Code, judge

WANTED = Code("PIN-19", "Pinot Noir 2019", "4006381333931")
NEWER = Code("PIN-20", "Pinot Noir 2020", "4006381333948")
OTHER = Code("SYR-21", "Syrah 2021")


def test_a_product_is_scanned_by_its_sku_or_its_bar_code() -> None:
    assert judge("pin-19", WANTED, [NEWER]) == judge(" 4006381333931 ", WANTED, [NEWER]) == ""


def test_a_upc_is_the_same_with_the_0_that_makes_an_ean_of_it() -> None:
    upc = Code("SYR-21", "Syrah 2021", "036000291452")
    assert judge("0036000291452", upc, []) == judge("036000291452", upc, []) == ""
    assert judge("00036000291452", upc, []) != ""


def test_another_vintage_of_the_wine_is_refused_and_both_are_named() -> None:
    said = judge("4006381333948", WANTED, [NEWER], [OTHER])
    assert said.startswith("WRONG VINTAGE: this is Pinot Noir 2020 (PIN-20).")
    assert said.endswith("It should be Pinot Noir 2019 (PIN-19)")


def test_another_product_is_named_where_the_walk_knows_it() -> None:
    assert "this is Syrah 2021 (SYR-21)" in judge("SYR-21", WANTED, [NEWER], [OTHER])
    assert "none of this walk" in judge("4711", WANTED, [NEWER], [OTHER])


def test_a_product_without_a_bar_code_is_not_scanned_by_nothing() -> None:
    assert judge("", OTHER, []) != ""

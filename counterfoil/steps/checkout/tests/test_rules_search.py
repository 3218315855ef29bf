"""Finding a wine: words with and without accents, and counts that say what a tick would leave."""

from __future__ import annotations

from counterfoil.steps.checkout.search import PAGE, Sought, Wine, find, fold, laid_out, price_of, read


def wine(n: int, name: str, **more: object) -> Wine:
    given: dict[str, object] = {
        "id": n, "sku": f"W-{n}", "name": name, "producer": "Alder Ridge",
        "family": name[:-5], "region": "Alder Valley",
        "grape": "Pinot Noir", "vintage": "2021", "price": 2400, "spare": 3, "text": "Sour cherry and cold tea.",
        **more,
    }  # fmt: skip
    return Wine(**given)  # type: ignore[arg-type]


CELLAR = [
    wine(1, "Pinot Noir 2021"),
    wine(2, "Rosé 2024", vintage="2024", price=1800, spare=0),
    wine(3, "Riesling 2021", producer="Quill", region="Coast", grape="Riesling", text="Lime."),
    wine(4, "Riesling 2019", producer="Quill", region="Coast", grape="Riesling", vintage="2019", price=5600),
    wine(5, "Corkscrew", producer="", region="", grape="", vintage="", text="Walnut"),
]


def ids(**sought: object) -> list[int]:
    return find(Sought(**sought), laid_out(CELLAR)).ids  # type: ignore[arg-type]


def test_a_word_is_found_with_and_without_its_accents_and_every_word_must_be() -> None:
    assert ids(text="rose") == ids(text="ROSÉ") == [2]
    assert ids(text="riesling lime") == [3]
    assert ids(text="riesling walnut") == []
    assert ids(text="w-4") == [4]
    assert fold("Nuñez Straße") == "nunez strasse"


def test_by_maker_name_and_newest_vintage_and_what_has_no_maker_last() -> None:
    assert ids() == [1, 2, 3, 4, 5]
    assert ids(sort="low")[0] == 2
    assert ids(sort="high")[0] == 4
    assert ids(sort="new")[0] == 2


def test_narrowing_by_maker_vintage_price_and_stock() -> None:
    assert ids(producer=("Quill",), vintage=("2021",)) == [3]
    assert ids(low=2000, high=3000, region=("Coast",)) == [3]
    assert 2 not in ids(in_stock=True)


def test_a_count_says_what_would_be_left_if_that_value_were_ticked_too() -> None:
    found = find(Sought(producer=("Quill",)), laid_out(CELLAR))
    makers = {v.value: (v.count, v.chosen) for v in found.facets["producer"]}
    assert makers == {"Alder Ridge": (2, False), "Quill": (2, True)}  # its own choice does not narrow a facet
    assert {v.value: v.count for v in found.facets["grape"]} == {"Riesling": 2}
    assert [v.value for v in found.facets["vintage"]] == ["2021", "2019"]


def test_pages_of_many() -> None:
    many = [wine(n, f"Wine {n:03}") for n in range(1, 60)]
    last = find(Sought(page=99), laid_out(many))
    assert (last.total, last.page, last.pages, len(last.ids)) == (59, 3, 3, 59 - 2 * PAGE)


def test_what_makes_no_sense_in_an_address_narrows_nothing() -> None:
    odd = {"low": "-3", "high": "1e9", "page": "0", "sort": "DROP", "q": " a\x00b "}
    assert read(odd, lambda _: ["\x00"], "USD") == Sought()
    assert (price_of("25", "USD"), price_of("25.5", "USD"), price_of("25", "JPY")) == (2500, 2550, 25)
    assert price_of("25.555", "USD") is None

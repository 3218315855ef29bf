"""Country names in whatever language, and states by their codes."""

from __future__ import annotations

import pytest

from counterfoil.gateways.storefront.countries import codes, country_code, state_code
from counterfoil.steps.checkout.countries import COUNTRIES


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Россия", "RU"), ("Nippon", "JP"), ("日本", "JP"), ("Ísland", "IS"), ("Việt Nam", "VN"), ("Deutschland", "DE"),
        ("España", "ES"), ("Polska", "PL"), ("Danmark", "DK"), ("USA", "US"), ("U.S.A.", "US"), ("us", "US"),
        ("UNITED STATES", "US"), ("The Netherlands", "NL"), ("Ελλάδα", "GR"), ("Cote D'Ivoire", "CI"),
        ("Korea, Republic of", "KR"), ("Croatia (local name: Hrvatska)", "HR"), ("대한민국", "KR"), ("مصر", "EG"),
        ("  Österreich ", "AT"), ("Osterreich", "AT"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_english_and_its_own_names(name: str, code: str) -> None:
    assert country_code(name) == code


@pytest.mark.parametrize("name", ["Atlantis", "", "  ", "XX", "12", "Korea", "—"])
def test_what_nobody_can_know_is_not_guessed(name: str) -> None:
    assert country_code(name) is None


def test_every_country_of_the_checkout_is_known_by_its_name_there() -> None:
    assert {code: country_code(name) for code, name in COUNTRIES.items()} == {code: code for code in COUNTRIES}
    assert codes() >= COUNTRIES.keys()


def test_states_and_provinces_get_their_codes_and_elsewhere_names_stay() -> None:
    assert state_code("US", "California") == "CA"
    assert state_code("US", "new york") == "NY"
    assert state_code("CA", "Quebec") == state_code("CA", "Québec") == "QC"
    assert state_code("CA", "Nouvelle-Écosse") == "NS"
    assert state_code("US", "Nowhere") == "Nowhere"
    assert state_code("DE", "Bayern") == "Bayern"

"""Tests must not reach a developer's card key, mail server or running shop."""

from __future__ import annotations

from pathlib import Path

from tools.hermetic import seal


def test_card_keys_and_mail_servers_are_out_of_reach(tmp_path: Path) -> None:
    environment = {
        "STRIPE_API_KEY": "sk_live_1",
        "STRIPE_API_BASE": "http://127.0.0.1:1",
        "EMAIL_URL": "smtp://127.0.0.1",
        "COUNTERFOIL_BASE_URL": "http://shop.example.com",
        "COUNTERFOIL_VAR": str(tmp_path),
        "COUNTERFOIL_TEST_PG_URL": "postgresql:///own",
        "PATH": "/bin",
    }
    seal(environment)
    assert not any(name.startswith(("STRIPE_", "EMAIL_")) for name in environment)
    assert "COUNTERFOIL_BASE_URL" not in environment
    assert environment["COUNTERFOIL_TEST_PG_URL"] == "postgresql:///own"
    assert environment["PATH"] == "/bin"


def test_tests_have_a_database_and_a_folder_of_their_own(tmp_path: Path) -> None:
    environment = {"COUNTERFOIL_VAR": str(tmp_path)}
    seal(environment)
    assert environment["DATABASE_URL"] == f"sqlite:///{tmp_path / 'test' / 'suite.sqlite3'}"
    assert (tmp_path / "test").is_dir()


def test_a_database_named_on_purpose_is_used(tmp_path: Path) -> None:
    environment = {"COUNTERFOIL_VAR": str(tmp_path), "DATABASE_URL": "postgresql:///chosen"}
    seal(environment)
    assert environment["DATABASE_URL"] == "postgresql:///chosen"

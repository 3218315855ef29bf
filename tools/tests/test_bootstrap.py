"""What makes `.venv` ready: it starts anew when the lock files change, and says so when a browser is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import bootstrap


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose `.venv` holds the level base."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / "python")
    (tmp_path / "requirements").mkdir()
    for level in bootstrap.LEVELS:
        (tmp_path / "requirements" / f"{level}.txt").write_text(level)
    (tmp_path / "python").touch()
    (tmp_path / "stamp").write_text(f"{bootstrap.fingerprint_of_locks()} base\n")
    return tmp_path


def test_what_is_installed_is_not_installed_again(ready: Path) -> None:
    assert bootstrap.is_ready("base")


def test_the_checks_need_more_than_a_shop(ready: Path) -> None:
    assert not bootstrap.is_ready("dev")
    (ready / "stamp").write_text(f"{bootstrap.fingerprint_of_locks()} dev\n")
    assert bootstrap.is_ready("dev")
    assert bootstrap.is_ready("base")


def test_a_changed_lock_file_is_installed(ready: Path) -> None:
    (ready / "requirements" / "base.txt").write_text("other")
    assert not bootstrap.is_ready("base")


def test_a_python_that_went_away_is_noticed(ready: Path) -> None:
    (ready / "python").unlink()
    assert not bootstrap.is_ready("base")


def test_a_broken_stamp_is_no_stamp(ready: Path) -> None:
    (ready / "stamp").write_text("half")
    assert not bootstrap.is_ready("base")


def test_a_browser_named_by_hand_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "my-chromium"
    own.touch()
    monkeypatch.setenv("COUNTERFOIL_CHROMIUM", str(own))
    assert bootstrap.find_chromium() == str(own)
    own.unlink()
    assert bootstrap.find_chromium() is None


def test_a_machine_without_a_browser_is_told_what_installs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COUNTERFOIL_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bootstrap, "CHROMIUM_MAC", ())
    assert bootstrap.ensure_chromium() is None
    assert "apt-get install chromium" in capsys.readouterr().err

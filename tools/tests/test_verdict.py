"""The table at the end of `make test` must not call a gap a success where nobody watches."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.test import Outcome, environment, pytest_seconds, summary_of, verdict


def test_a_failed_part_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert verdict([Outcome("rules", "ran"), Outcome("sqlite", "FAILED")]) == 1


def test_a_part_that_could_not_run_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert verdict([Outcome("browser", "not run", note="apt-get install chromium")]) == 0
    assert "apt-get install chromium" in capsys.readouterr().out


def test_in_ci_a_part_that_did_not_run_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert verdict([Outcome("sqlite", "ran")]) == 0
    assert verdict([Outcome("sqlite", "ran"), Outcome("browser", "not run")]) == 1


def test_what_was_skipped_is_shown_with_the_line_that_counts() -> None:
    text = "collected 2\n=== short test summary info ===\nSKIPPED [1] a.py: no\n=== 1 passed, 1 skipped in 1.25s ===\n"
    assert summary_of(text).splitlines()[1:] == text.splitlines()[2:]
    assert summary_of("dots\n=== 2 passed in 0.1s ===\n") == "=== 2 passed in 0.1s ==="
    assert pytest_seconds(text) == 1.25
    assert pytest_seconds("") == 0.0


def test_a_machine_that_speaks_plain_ascii_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONUTF8", "PYTHONIOENCODING", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "en_US.ISO-8859-1")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    look = "import pathlib, sys; print(sys.flags.utf8_mode, pathlib.Path(sys.argv[1]).open().encoding.lower())"
    said = subprocess.check_output([sys.executable, "-c", look, __file__], env=environment("rules"), text=True)
    assert said.split() == ["1", "utf-8"]

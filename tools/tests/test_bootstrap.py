"""What makes `.venv` ready: it starts anew when the lock files change, and says in one line what is missing."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap


def program(path: Path, script: str) -> Path:
    """Write a program of the machine that a test plays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


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
    bootstrap.ensure_browser()
    assert "apt-get install chromium (or set COUNTERFOIL_CHROMIUM" in capsys.readouterr().err
    assert bootstrap.browser_lacks() == ["chromium"]


def test_a_browser_that_cannot_be_driven_is_of_no_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNTERFOIL_CHROMIUM", str(program(tmp_path / "chromium", "")))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    driver = tmp_path / "lib" / "python3.11" / "site-packages" / "playwright" / "driver" / "node"
    program(driver, "exit 0")
    assert bootstrap.browser_lacks() == []
    program(driver, "exit 127")
    bootstrap.ensure_browser()
    assert capsys.readouterr().err.splitlines() == [
        "The browser tests cannot run here. Debian, Ubuntu: apt-get install libatomic1"
    ]


# --- a machine that lacks something -------------------------------------------------------------------------------


def test_a_machine_that_can_make_no_environment_is_told_the_package_in_one_line(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(bootstrap.ROOT / "requirements", shop / "requirements")
    (shop / "tools").mkdir()
    shutil.copy(bootstrap.__file__, shop / "tools")
    for module in ("ensurepip", "pip", "virtualenv"):
        (tmp_path / f"{module}.py").write_text("raise ImportError")
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "tools/bootstrap.py"], cwd=shop, env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in line
    assert done.stdout == ""


def test_what_apt_says_is_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(
        tmp_path / "apt-get",
        'echo "Reading lists"; echo "W: Failed to fetch"; echo "E: Unable to locate package"; exit 100',
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not bootstrap.apt_install("python3.11-venv")
    assert capsys.readouterr().err.splitlines() == [
        "Installing from the system's packages: python3.11-venv ...",
        "W: Failed to fetch",
        "E: Unable to locate package",
    ]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not bootstrap.apt_install("python3.11-venv")
    assert capsys.readouterr().err == "", "who is not root is told what to install, and by whom"


def test_a_program_is_found_where_pip_and_uv_put_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bootstrap.find_program("uv") is None
    uv = program(tmp_path / ".local" / "bin" / "uv", "")
    assert bootstrap.find_program("uv") == str(uv)


def test_any_python_3_can_read_what_says_that_it_is_too_old() -> None:
    tree = ast.parse(Path(bootstrap.__file__).read_text(), feature_version=(3, 6))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.module == "__future__"), "3.6 has no such feature"
        if isinstance(node, ast.BinOp):
            assert not isinstance(node.op, ast.BitOr), "X | None is evaluated, and means nothing before 3.10"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            assert node.value.id not in {"dict", "list", "set", "tuple"}, "list[str] means nothing before 3.9"


def test_time_zones_are_known_on_a_machine_without_any() -> None:
    look = "from zoneinfo import ZoneInfo; print(ZoneInfo('America/Los_Angeles'))"
    alone = {**os.environ, "PYTHONTZPATH": ""}
    done = subprocess.run([sys.executable, "-c", look], env=alone, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "America/Los_Angeles", done.stderr


# --- the user's own index -----------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a person who has told neither pip nor uv anything; neither has the machine."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "SSL_CERT", "XDG_CONFIG")) or name == "ALL_PROXY":
            monkeypatch.delenv(name)
    files = bootstrap.configuration_files
    monkeypatch.setattr(
        bootstrap,
        "configuration_files",
        lambda *words, **more: [path for path in files(*words, **more) if path.startswith(str(tmp_path))],
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def pip_conf(home: Path, text: str) -> None:
    (home / ".config" / "pip").mkdir(parents=True, exist_ok=True)
    (home / ".config" / "pip" / "pip.conf").write_text(text)


def told_to_uv() -> dict[str, str]:
    names = {*bootstrap.PIP_TO_UV.values(), "UV_INDEX_STRATEGY", *bootstrap.UV_OWN}
    return {name: value for name, value in bootstrap.uv_environment().items() if name in names}


def test_nothing_told_nothing_handed_on(home: Path) -> None:
    assert told_to_uv() == {}


def test_uv_is_told_what_stands_in_pip_conf(home: Path) -> None:
    pip_conf(
        home,
        "[global]\nindex-url = http://mirror.example.com/simple\ncert = ~/ours.pem\n"
        "[install]\nextra-index-url =\n  http://a.example.com\n  http://b.example.com\nfind_links = /one /two\n",
    )
    assert told_to_uv() == {
        "UV_DEFAULT_INDEX": "http://mirror.example.com/simple",
        "UV_INDEX": "http://a.example.com http://b.example.com",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/one,/two",
        "SSL_CERT_FILE": f"{home}/ours.pem",
    }


def test_the_environment_counts_more_than_pip_conf(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_conf(home, "[global]\nindex-url = http://file.example.com/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "http://typed.example.com/simple")
    assert told_to_uv() == {"UV_DEFAULT_INDEX": "http://typed.example.com/simple"}


def test_a_file_named_by_hand_takes_the_place_of_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_conf(home, "[global]\nindex-url = http://file.example.com/simple\nproxy = http://proxy.example.com\n")
    named = home / "named.conf"
    named.write_text("[global]\nindex-url = http://named.example.com/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(named))
    assert told_to_uv() == {"UV_DEFAULT_INDEX": "http://named.example.com/simple"}
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert told_to_uv() == {}


def test_a_uv_that_has_its_own_index_keeps_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip_conf(home, "[global]\nindex-url = http://file.example.com/simple\ncert = /ours.pem\n")
    monkeypatch.setenv("UV_INDEX_URL", "http://uv.example.com/simple")
    assert told_to_uv() == {"UV_INDEX_URL": "http://uv.example.com/simple", "SSL_CERT_FILE": "/ours.pem"}
    monkeypatch.delenv("UV_INDEX_URL")
    (home / ".config" / "uv").mkdir()
    (home / ".config" / "uv" / "uv.toml").write_text('[[index]]\nurl = "http://toml.example.com"\n')
    assert told_to_uv() == {"SSL_CERT_FILE": "/ours.pem"}


def test_a_broken_pip_conf_is_no_reason_to_stop(home: Path) -> None:
    pip_conf(home, "index-url = in no section\n")
    assert told_to_uv() == {}


def test_uv_asks_no_index_when_pip_may_not(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", home)
    (home / "var").mkdir()
    uv = program(home / "uv", f'echo "$UV_FIND_LINKS" "$@" > {home}/said')
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    bootstrap.install([str(uv), "pip", "install"])
    assert (home / "said").read_text() == "/wheels pip install\n"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    bootstrap.install([str(uv), "pip", "install"])
    assert (home / "said").read_text() == "/wheels pip install --no-index\n"


def test_what_the_installer_says_is_shown_when_it_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", home)
    (home / "var").mkdir()
    pip = program(home / "pip", 'echo "connection refused"; exit 1')
    with pytest.raises(SystemExit) as ended:
        bootstrap.install([str(pip)])
    assert ended.value.code == 1
    assert "connection refused" in capsys.readouterr().err


def test_the_index_that_failed_is_named_without_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", home)
    (home / "var").mkdir()
    pip_conf(home, "[global]\nindex-url = http://someone:se@cret@mirror.example.com/simple\n")
    with pytest.raises(SystemExit):
        bootstrap.install([str(program(home / "pip", "exit 1"))])
    said = capsys.readouterr().err
    assert " from http://mirror.example.com/simple, which your pip settings name;" in said
    assert "cret" not in said

"""Make `.venv` ready with nothing but a Python: `python3 tools/bootstrap.py [base|dev] [--browser]`.

`base` is what running a shop needs, `dev` what the checks need on top; `--browser` looks for a Chromium too.
Every package comes at the version and with the hash that `requirements/*.txt` names, through the user's own pip
settings. A second call finds the stamp of the first and does nothing.

This file alone must run on any Python 3 that a machine happens to have (hence no `from __future__ import annotations`,
which 3.6 does not know): it has to say what is missing.
"""

import argparse
import configparser
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator, List, NoReturn, Optional

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STAMP = VENV / "counterfoil.stamp"
LEVELS = ("base", "dev")
OLDEST = (3, 11)
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_MAC = ("/Applications/Chromium.app/Contents/MacOS/Chromium",)
#: What pip may have been told about where packages come from, and how uv is told the same.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
}
UV_OWN = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE")

# /bin/sh starts the interpreter, because a "#!" line can neither be long nor hold a space.
CONSOLE_SCRIPT = """#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from counterfoil.shell.cli import main

sys.exit(main())
"""


def main() -> int:
    """Prepare what the command line asks for and return 0; end with one line on stderr when that is impossible."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Make .venv ready.")
    parser.add_argument("level", nargs="?", choices=LEVELS, default="base")
    parser.add_argument("--browser", action="store_true", help="find Chromium, or install it when root")
    chosen = parser.parse_args()
    if not is_ready(chosen.level):
        with one_at_a_time():
            if not is_ready(chosen.level):
                prepare(chosen.level)
    if chosen.browser:
        ensure_browser()
    return 0


def is_ready(level: str) -> bool:
    """Tell whether `.venv` holds at least `level`, as the lock files of this moment have it."""
    try:
        fingerprint, installed = STAMP.read_text().split()
    except (OSError, ValueError):
        return False
    known = installed in LEVELS and LEVELS.index(installed) >= LEVELS.index(level)
    return known and fingerprint == fingerprint_of_locks() and os.path.exists(VENV_PYTHON)


def fingerprint_of_locks() -> str:
    """Return a hash over the lock files, this file and the folder (a virtual environment cannot be moved)."""
    digest = hashlib.sha256(str(ROOT).encode())
    for path in (*(ROOT / "requirements" / f"{level}.txt" for level in LEVELS), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def prepare(level: str) -> None:
    """Create `.venv` if need be, install the locked packages of `level` and the `counterfoil` command into it."""
    started = time.monotonic()
    if STAMP.exists():
        STAMP.unlink()
    installer = ensure_venv()
    lock = ROOT / "requirements" / f"{level}.txt"
    count = sum("==" in line for line in lock.read_text().splitlines())
    say(f"Installing {count} locked packages into .venv (once; about a minute) ...")
    install([*installer, "--require-hashes", "-r", str(lock)])
    link_project()
    STAMP.write_text(f"{fingerprint_of_locks()} {level}\n")
    say(f"Ready after {time.monotonic() - started:.0f} s.")


# --- the virtual environment ------------------------------------------------------------------------------------


def ensure_venv() -> List[str]:
    """Make sure that `.venv` has a working Python of the right age; return the command that installs into it."""
    if not (os.path.exists(VENV_PYTHON) and is_new_enough(str(VENV_PYTHON)) and installer_for_venv()):
        create_venv()
    installer = installer_for_venv()
    if installer is None:
        package = venv_package(find_python())
        give_up(f"No pip and no uv to install packages with. Debian, Ubuntu: apt-get install {package}")
    return installer


def create_venv() -> None:
    """Create `.venv` by the first of: venv with pip, uv, venv with the system's pip, virtualenv, apt-get and venv."""
    python = find_python()
    package = venv_package(python)
    uv, virtualenv = find_program("uv"), find_program("virtualenv")
    if not (
        (can_import(python, "ensurepip") and make_venv(python, "-m", "venv", "--clear", str(VENV)))
        or (uv and make_venv(uv, "venv", "--quiet", "--clear", "--python", python, str(VENV)))
        or (system_pip(python) and make_venv(python, "-m", "venv", "--clear", "--without-pip", str(VENV)))
        or make_venv(python, "-m", "virtualenv", "--quiet", "--clear", str(VENV))
        or (virtualenv and make_venv(virtualenv, "--quiet", "--clear", "--python", python, str(VENV)))
        or (apt_install(package) and make_venv(python, "-m", "venv", "--clear", str(VENV)))
    ):
        give_up(f"{python} cannot make virtual environments. Debian, Ubuntu: apt-get install {package}")
    say(f"Made .venv with {python}.")


def make_venv(*command: str) -> bool:
    """Run `command` and tell whether a `.venv` has come out of it."""
    return quiet_call(list(command)) == 0 and os.path.exists(VENV_PYTHON)


def installer_for_venv() -> Optional[List[str]]:
    """Return the installing command for `.venv`: its own pip, uv, or the pip of the system, in this order."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    if can_import(str(VENV_PYTHON), "pip"):
        return [str(VENV_PYTHON), "-m", "pip", "install", *quiet]
    uv = find_program("uv")
    if uv:
        return [uv, "pip", "install", "--quiet", "--python", str(VENV_PYTHON)]
    for python in candidates():
        if system_pip(python):
            return [python, "-m", "pip", "--python", str(VENV_PYTHON), "install", *quiet]
    return None


def install(command: List[str]) -> None:
    """Run the installing command; keep what it says in var/bootstrap.log and show it only when it fails."""
    environment = None
    if os.path.basename(command[0]) == "uv":
        environment = uv_environment()
        if pip_settings().get("no-index", "").lower() in ("1", "true", "yes", "on"):
            command = [*command, "--no-index"]
    log = ROOT / "var" / "bootstrap.log"
    with log.open("wb") as output:
        code = subprocess.call(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if code != 0:
        say(log.read_text(errors="replace").rstrip())
        named = indexes()
        where = f" from {' and '.join(named)}, which your pip settings name" if named else ""
        say(f"The packages could not be installed{where}; the lines above say why.")
        give_up("Once mended, the same command goes on.")


def link_project() -> None:
    """Put the repository on the path of `.venv` and write its `counterfoil` command.

    An editable install would fetch a build backend; two small files do the same and need no network.
    """
    command = [str(VENV_PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.check_output(command, universal_newlines=True).strip())
    (packages / "counterfoil.pth").write_text(f"{ROOT}\n")
    script = VENV / "bin" / "counterfoil"
    script.write_text(CONSOLE_SCRIPT.format(python=VENV_PYTHON))
    script.chmod(0o755)


# --- the user's own index -----------------------------------------------------------------------------------------


def uv_environment() -> Dict[str, str]:
    """Return the environment for uv: the user's own, and what pip was told if uv was told of no index itself."""
    environment = dict(os.environ)
    told = pip_settings()
    own = any(name in environment for name in UV_OWN) or any(
        "index" in text or "find-links" in text for text in map(text_of, configuration_files("uv", "uv.toml"))
    )
    for name, variable in PIP_TO_UV.items():
        if name in told and not (own and variable.startswith("UV_")):
            parts = told[name].split() if variable.startswith("UV_") else [os.path.expanduser(told[name])]
            environment.setdefault(variable, ("," if name == "find-links" else " ").join(parts))
    if "extra-index-url" in told:
        # As pip does: the locked version may be on any of the indexes; the hash says whether it is the right one.
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def pip_settings() -> Dict[str, str]:
    """Return what pip's files and its environment say, under the names that its files use."""
    named = os.environ.get("PIP_CONFIG_FILE", "")
    files = configuration_files("pip", "pip.conf", user=not os.path.exists(named))
    parser = configparser.RawConfigParser()
    for path in [] if named == os.devnull else [*files, named]:
        with contextlib.suppress(configparser.Error, UnicodeError):
            parser.read(path, encoding="utf-8")
    told = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            told.update({name.replace("_", "-"): value for name, value in parser.items(section) if value})
    for name in (*PIP_TO_UV, "no-index"):
        value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            told[name] = value
    return told


def indexes() -> List[str]:
    """Return the indexes that pip was told of, without the passwords in their addresses."""
    told = pip_settings()
    addresses = f"{told.get('index-url', '')} {told.get('extra-index-url', '')}".split()
    return [re.sub(r"//[^/]*@", "//", address) for address in addresses]


def configuration_files(program: str, name: str, user: bool = True) -> List[str]:
    """Return where the configuration of pip or uv may lie, the machine's files first and the user's last."""
    machine = [f"/Library/Application Support/{program}", f"/etc/{program}", "/etc"]
    machine += [os.path.join(folder, program) for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")]
    home = os.path.expanduser("~")
    own = [f".{program}", f"Library/Application Support/{program}", f".config/{program}"]
    folders = machine + [os.path.join(home, folder) for folder in own if user]
    if user and os.environ.get("XDG_CONFIG_HOME"):
        folders.append(os.path.join(os.environ["XDG_CONFIG_HOME"], program))
    return [os.path.join(folder, name) for folder in folders]


def text_of(path: str) -> str:
    """Return the text of a file, empty when there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


# --- what the machine has ---------------------------------------------------------------------------------------


def candidates() -> List[str]:
    """Return the Pythons of this machine, the calling one first."""
    names = ("python3.13", "python3.12", "python3.11", "python3.14", "python3")
    found = [sys.executable, *(shutil.which(name) for name in names), "/usr/bin/python3"]
    return list(dict.fromkeys(path for path in found if path and os.path.exists(path)))


def find_python() -> str:
    """Return a Python that is new enough; end the program when there is none."""
    found = next(filter(is_new_enough, candidates()), None)
    if found is None:
        wanted = ".".join(map(str, OLDEST))
        give_up(f"Counterfoil needs Python {wanted} or newer, here is {sys.version.split()[0]}: install python{wanted}")
    return found


def venv_package(python: str) -> str:
    """Return the Debian package that lets `python` make virtual environments: each version has its own."""
    version = subprocess.check_output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    return f"python{version.decode().strip()}-venv"


def find_program(name: str) -> Optional[str]:
    """Return the path of a program, looking also where pip and uv put theirs before PATH knows of it."""
    return shutil.which(name) or shutil.which(name, path=os.path.expanduser("~/.local/bin"))


def is_new_enough(python: str) -> bool:
    """Tell whether `python` runs and is at least OLDEST."""
    return quiet_call([python, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST!r})"]) == 0


def can_import(python: str, module: str) -> bool:
    """Tell whether `python` has `module` (Debian ships a `venv` whose `ensurepip` is missing)."""
    return quiet_call([python, "-c", f"import {module}"]) == 0


def system_pip(python: str) -> bool:
    """Tell whether the pip of `python` can install into another environment (`--python`, since pip 22.3)."""
    return quiet_call([python, "-m", "pip", "--python", python, "--version"]) == 0


def ensure_browser() -> None:
    """Make sure that a browser can be driven, with apt-get if we are root; else say what is missing."""
    lacking = browser_lacks()
    if lacking and apt_install(*lacking):
        lacking = browser_lacks()
    if lacking:
        say(f"The browser tests cannot run here. {browser_help(lacking)}")


def browser_lacks() -> List[str]:
    """Return the Debian packages that are missing for the browser tests; empty when they can run."""
    lacking = [] if find_chromium() else ["chromium"]
    # What drives the browser is a program inside the package playwright, and needs one library more than Python does.
    drivers = VENV.glob("lib/python*/site-packages/playwright/driver/node")
    if any(quiet_call([str(driver), "--version"]) for driver in drivers):
        lacking.append("libatomic1")
    return lacking


def browser_help(lacking: List[str]) -> str:
    """Return the line that says what to install."""
    other = " (or set COUNTERFOIL_CHROMIUM to a Chromium or Chrome)" if "chromium" in lacking else ""
    return f"Debian, Ubuntu: apt-get install {' '.join(lacking)}{other}"


def find_chromium() -> Optional[str]:
    """Return the path of a Chromium or Chrome on this machine, COUNTERFOIL_CHROMIUM first; None when there is none."""
    named = os.environ.get("COUNTERFOIL_CHROMIUM")
    if named:
        return named if os.path.exists(named) else None
    for name in CHROMIUM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    return next((path for path in CHROMIUM_MAC if os.path.exists(path)), None)


def apt_install(*packages: str) -> bool:
    """Install Debian packages if this is root on a Debian; tell whether they are there now."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    say(f"Installing from the system's packages: {', '.join(packages)} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Another installation that is under way, such as a nightly update, is waited for.
    command = [apt, "-qq", "-o", "DPkg::Lock::Timeout=120"]
    said = ""
    for act in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*command, *act],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said += done.stdout.decode(errors="replace")
        if act[0] == "install" and done.returncode == 0:
            return True
    say("\n".join(dict.fromkeys(line for line in said.splitlines() if line.startswith(("W: ", "E: ")))))
    return False


# --- small helpers ----------------------------------------------------------------------------------------------


def quiet_call(command: List[str], environment: Optional[Dict[str, str]] = None) -> int:
    """Run `command` without any output and return its exit code, 127 when it cannot be run at all."""
    try:
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
    except OSError:
        return 127


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let `make run` and `make test`, started side by side, prepare `.venv` one after the other."""
    import fcntl

    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "bootstrap.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """Tell the person at the terminal, at once."""
    print(line, file=sys.stderr, flush=True)


def give_up(line: str) -> NoReturn:
    """End with exit code 1 and one line."""
    say(line)
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())

"""Write `requirements/*.txt` from `requirements/*.in`, or check that they belong together.

python -m tools.lock [--upgrade]    resolve with uv, keeping the locked versions unless told to upgrade
python -m tools.lock --check        no network: every wanted package locked and hashed, no address of any machine
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
NAMES = ("base", "dev")
OLDEST_PYTHON = "3.11"
#: A lock file goes to everybody; where one machine fetched from must not be in it.
ADDRESS = re.compile(r"://|^\s*-|\bfile:| @ |--(?:index|extra-index|find-links)", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==", re.MULTILINE)
WANTED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line described at the top of this file and return its exit code."""
    parser = argparse.ArgumentParser(prog="tools.lock", description="Write or check the lock files.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the .in files allow")
    parser.add_argument("--check", action="store_true", help="only check, without network")
    chosen = parser.parse_args(arguments)
    if not chosen.check and not write(upgrade=chosen.upgrade):
        return 1
    found = problems()
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def write(*, upgrade: bool) -> bool:
    """Resolve both files for every platform with uv; tell whether that worked."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        print("`make lock` needs uv: .venv/bin/pip install uv", file=sys.stderr)
        return False
    for name in NAMES:
        print(f"Locking requirements/{name}.txt ...", flush=True)
        command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", OLDEST_PYTHON, "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--custom-compile-command", "make lock"]
        command += ["--upgrade"] if upgrade else []
        command += ["--output-file", f"requirements/{name}.txt", f"requirements/{name}.in"]
        if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            return False
    return True


def problems() -> list[str]:
    """Return one sentence for everything that is wrong with the lock files; empty means all is well."""
    found: list[str] = []
    texts = {name: (FOLDER / f"{name}.txt").read_text() for name in NAMES}
    for name, text in texts.items():
        code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        bare = re.sub(r"\s*\\\n\s+--hash=sha256:[0-9a-f]{64}", " HASH", code)
        found += [f"requirements/{name}.txt holds an address: {hit.group()!r}" for hit in ADDRESS.finditer(bare)]
        found += [f"requirements/{name}.txt: no hash for {line}" for line in bare.splitlines() if "HASH" not in line]
        locked = {_plain(pin) for pin in PIN.findall(text)}
        wanted = {_plain(line) for line in WANTED.findall((FOLDER / f"{name}.in").read_text())}
        found += [f"requirements/{name}.txt lacks {missing}: run `make lock`" for missing in sorted(wanted - locked)]
    base, dev = (set(re.findall(r"^\S+==\S+", texts[name], re.MULTILINE)) for name in NAMES)
    found += [f"{pin} is in base.txt but not in dev.txt: run `make lock`" for pin in sorted(base - dev)]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())

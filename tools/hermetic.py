"""pytest plugin: what a test sees of the person's environment (almost nothing).

Loaded by `-p tools.hermetic`, that is before Django reads its settings. A developer's real card key or mail server,
and the database of a shop running beside the tests, must be out of reach.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "test" / "home"
DROPPED = ("STRIPE_", "EMAIL_", "COUNTERFOIL_")
KEPT = ("COUNTERFOIL_CHROMIUM", "COUNTERFOIL_LOG", "COUNTERFOIL_TEST_", "COUNTERFOIL_VAR")


def seal(environment: dict[str, str] | os._Environ[str]) -> None:
    """Take secrets and addresses out of `environment` and put the tests' own in."""
    for name in list(environment):
        if name.startswith(DROPPED) and not name.startswith(KEPT):
            del environment[name]
    home = Path(environment.setdefault("COUNTERFOIL_VAR", str(HOME)))
    (home / "test").mkdir(parents=True, exist_ok=True)
    environment.setdefault("DATABASE_URL", f"sqlite:///{home / 'test' / 'suite.sqlite3'}")
    environment["COUNTERFOIL_TESTING"] = "1"
    environment["COUNTERFOIL_SECRET_KEY"] = "not-a-secret-the-tests-alone-sign-with-it"


seal(os.environ)

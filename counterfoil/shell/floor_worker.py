"""The floor's service worker: a script that keeps its pages on the telephone for when there is no connection."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from counterfoil.core.actor import CLERK, PICKER
from counterfoil.core.web import staff
from counterfoil.shell.assets import assets

SCOPE = "/desk/floor"
AWAY = "/desk/floor/away"
_HOUSE = Path(__file__).parents[1]
_FOLDERS = (_HOUSE / "core" / "templates", _HOUSE / "desk" / "templates" / "floor")
_STYLES = ("css/tokens.css", "css/base.css", "css/slip.css", "css/desk.css", "css/floor.css", "img/mark.svg")
_MODULES = ("link", "pick", "pack", "scanner", "tone", "away")
_SCRIPTS = ("page", "scan", "camera", *(f"floor/{name}" for name in _MODULES))


@staff(PICKER, CLERK)
@require_safe
def floor_worker(request: HttpRequest) -> HttpResponse:
    """The script. It stands under the floor's own address, which is as far as it may reach."""
    answer = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    answer["Service-Worker-Allowed"] = SCOPE
    answer["Cache-Control"] = "no-cache"
    return answer


@cache
def _script() -> str:
    """With what it keeps from the start, and a version that changes with any file or page of the floor."""
    files = [f"/static/{assets()[name].hashed}" for name in _STYLES]
    # A page names its module with its hash; that module names others by their plain names.
    for name in _SCRIPTS:
        found = assets()[f"js/{name}.js"]
        files += [f"/static/{found.hashed}", f"/static/{found.name}"]
    kept = hashlib.sha256("".join(sorted(a.hashed for a in assets().values())).encode())
    for page in sorted(page for folder in _FOLDERS for page in folder.glob("*.html")):
        kept.update(page.read_bytes())
    told = {"VERSION": kept.hexdigest()[:12], "FILES": files, "AWAY": AWAY}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in told.items())
    return head + assets()["js/floor/worker.js"].plain.decode()

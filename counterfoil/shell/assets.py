"""The stylesheets, scripts and pictures that come with Counterfoil, read once and addressed by what is in them.

A file's address carries its hash, so that a browser may keep it for a year and still gets a new one at once.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, plain and packed, its media type and the name that carries its hash."""

    name: str
    hashed: str
    digest: str
    media_type: str
    plain: bytes
    packed: bytes


@cache
def assets() -> dict[str, Asset]:
    """Every file below `static/`, by its plain name such as `css/base.css`."""
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if not path.is_file() or path.suffix not in TYPES:
            continue
        name = path.relative_to(FOLDER).as_posix()
        plain = path.read_bytes()
        digest = hashlib.sha256(plain).hexdigest()[:12]
        stem, dot, ending = name.rpartition(".")
        packed = gzip.compress(plain, 9, mtime=0)
        found[name] = Asset(name, f"{stem}.{digest}{dot}{ending}", digest, TYPES[path.suffix], plain, packed)
    return found


@cache
def by_address() -> dict[str, Asset]:
    """Every file by the address that carries its hash."""
    return {a.hashed: a for a in assets().values()}


def static_url(name: str) -> str:
    """Where a file is served: `css/base.css` -> `/static/css/base.3f2a….css`. Raises KeyError for an unknown name."""
    return f"/static/{assets()[name].hashed}"

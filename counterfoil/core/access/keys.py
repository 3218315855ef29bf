"""API keys: made once, shown once, looked up by hash."""

from __future__ import annotations

import hashlib
import secrets
import time

from counterfoil.core import clock
from counterfoil.core.access.models import ApiKey
from counterfoil.core.actor import ROLES, Actor
from counterfoil.core.db import rows, writing
from counterfoil.core.text import clean_key

_TTL = 5.0  # seconds a revoked key may still be believed; saves a statement on the hot path
_known: dict[str, tuple[float, Actor]] = {}


def make_key(name: str, role: str) -> str:
    """Create an API key and return it; it cannot be shown again. Raises ValueError for an unknown role or an
    unfit name.
    """
    if role not in ROLES:
        raise ValueError(f"{role!r} is no role; use one of {', '.join(ROLES)}")
    key = f"cf_{secrets.token_urlsafe(32)}"
    with writing():
        ApiKey.objects.create(name=clean_key(name), role=role, sha256=_hash(key), created_at=clock.real_now())
    return key


def revoke_key(key_id: int) -> ApiKey | None:
    """Take a key's right away; the key, or None when there is no such key or it was revoked before.

    Other processes may believe it for five seconds more.
    """
    with writing():
        if not ApiKey.objects.filter(pk=key_id, revoked_at=None).update(revoked_at=clock.real_now()):
            return None
    forget()
    return ApiKey.objects.get(pk=key_id)


def actor_of(key: str) -> Actor | None:
    """Who holds this key; None when nobody does."""
    digest = _hash(key)
    now = time.monotonic()
    held = _known.get(digest)
    if held is not None and now - held[0] < _TTL:
        return held[1]
    found = rows("SELECT id, name, role FROM access_apikey WHERE sha256 = %s AND revoked_at IS NULL", [digest])
    if not found:
        _known.pop(digest, None)
        return None
    actor = Actor("key", str(found[0][1]), str(found[0][2]), f"key:{found[0][0]}")
    if len(_known) > 1000:
        _known.clear()
    _known[digest] = (now, actor)
    return actor


def forget() -> None:
    """Drop what was believed: after a key was revoked here, and between tests."""
    _known.clear()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()

"""The first person of a fresh shop: who can read the server's console has the token with which to become its owner."""

from __future__ import annotations

import base64
import hmac

from django.conf import settings
from django.utils.crypto import salted_hmac

from counterfoil.core.access.models import User
from counterfoil.core.db import rows


def nobody_yet() -> bool:
    """Whether no person works here; customers with an account are none."""
    return not rows(f"SELECT 1 FROM {User._meta.db_table} WHERE role <> 'customer' LIMIT 1")


def setup_token() -> str:
    """`ABCD-EFGH-JKLM-NPQR`, the same in every process of this shop. It opens nothing once there is an owner."""
    digest = salted_hmac("counterfoil.setup", settings.DATABASE_URL, algorithm="sha256").digest()
    word = base64.b32encode(digest)[:16].decode()
    return "-".join(word[i : i + 4] for i in range(0, 16, 4))


def is_setup_token(given: str) -> bool:
    """Whether somebody typed it, in whatever case and with whatever blanks."""
    asked = "".join(c for c in given.upper() if c.isalnum())
    return hmac.compare_digest(asked.encode(), setup_token().replace("-", "").encode())

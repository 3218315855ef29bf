"""Papers: contiguous numbers, unchanged contents."""

from __future__ import annotations

import hashlib

from counterfoil.core.db import rows
from counterfoil.core.documents import SERIES, content_hash
from counterfoil.core.logos import name_of
from counterfoil.core.models import Document, Logo, Rendering


def series() -> list[str]:
    """Every number of a series was issued once; copies and later versions carry their first number."""
    found = []
    for kind, prefix in SERIES.items():
        numbers = sorted(
            int(number.removeprefix(f"{prefix}-"))
            for (number,) in rows("SELECT number FROM core_document WHERE kind = %s", [kind])
            if "-V" not in number
        )
        taken = rows("SELECT next FROM core_series WHERE prefix = %s", [prefix])
        last = int(taken[0][0]) - 1 if taken else 0
        if numbers != list(range(1, last + 1)):
            missing = sorted(set(range(1, last + 1)) - set(numbers))
            found.append(f"{prefix}: {len(numbers)} papers up to {last}; missing {missing[:10]}")
    return found


def hashes() -> list[str]:
    """Contents, PDFs and logos still are what they were when they were issued."""
    logos = {made.name: name_of(bytes(made.paper), bytes(made.screen)) for made in Logo.objects.all()}
    found = [f"{name}: this logo is not the one that was kept" for name, is_ in logos.items() if name != is_]
    for d in Document.objects.all().iterator(chunk_size=500):
        if content_hash(d.content) != d.sha256:
            found.append(f"{d.number}: its content is not what was issued")
        named = d.content.get("shop", {}).get("logo")
        if named and named not in logos:
            found.append(f"{d.number}: the logo that it carries is not there")
    for made in Rendering.objects.select_related("document").iterator(chunk_size=200):
        if hashlib.sha256(bytes(made.pdf)).hexdigest() != made.sha256:
            found.append(f"{made.document.number}: its PDF is not what was made")
    return found

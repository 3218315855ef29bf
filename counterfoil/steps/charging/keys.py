"""Keys under which the processor is asked: stored before the call, and never used again for something else."""

from __future__ import annotations

import re
from datetime import timedelta

KEY_LIFE = timedelta(hours=20)  # the processor forgets keys after 24; an older one is never repeated for money


def next_key(key: str) -> str:
    """The key of the same call's next try: `...`, `...~2`, `...~3`. What stands before the end stays as it is: a hold's
    capture is asked for under a key made from that of its making, which may be a second one itself.
    """
    found = re.fullmatch(r"(.*?)(?:~(\d+))?", key, re.DOTALL)
    base, tries = found.groups() if found else (key, None)
    return f"{base}~{int(tries or 1) + 1}"

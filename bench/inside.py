"""What must happen inside the shop's own process: `python -m bench.inside WHAT` with DATABASE_URL; answers in JSON.

prepare         migrate, a shop with wines, an API key, a log-in
statements      what placing one order says to the database
life N          the CPU of N whole lives
history N       fill up with orders until there are N
page N          how long the queue page takes, N times
cookie          the cookie of somebody who is logged in at the desk
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django


def main() -> None:
    django.setup()
    what, arguments = sys.argv[1], [int(a) for a in sys.argv[2:]]
    # Each of these needs the registry that has just been set up.
    from bench import history, life, page, prepare, statements

    calls: dict[str, Any] = {
        "prepare": prepare.prepare,
        "statements": statements.capture,
        "life": life.measure,
        "history": history.fill,
        "page": page.measure,
        "cookie": page.log_in,
    }
    print(json.dumps(calls[what](*arguments)))


if __name__ == "__main__":
    main()

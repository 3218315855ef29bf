"""/healthz and /metrics: is it up, and what is owed."""

from __future__ import annotations

import hmac
import json

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from counterfoil.core import clock
from counterfoil.core.db import rows
from counterfoil.core.web import problem
from counterfoil.steps.charging.reach import waiting


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the database answers; a lost database is 503 by the middleware."""
    rows("SELECT 1")
    return HttpResponse(json.dumps({"status": "ok"}), content_type="application/json")


def metrics(request: HttpRequest) -> HttpResponse:
    """Counts for a monitor, in the text format that Prometheus reads. No names, no amounts.

    How many orders there are is the shop's own business: with COUNTERFOIL_METRICS_TOKEN only who bears it is told.
    """
    token, given = settings.METRICS_TOKEN, request.headers.get("Authorization", "").partition(" ")[2]
    if token and not hmac.compare_digest(given.strip().encode(), token.encode()):
        return problem(401, "send Authorization: Bearer and the shop's token for monitors")
    lines = ["# TYPE counterfoil_jobs gauge"]
    for state, count in rows("SELECT state, COUNT(*) FROM core_job GROUP BY state ORDER BY state"):
        lines.append(f'counterfoil_jobs{{state="{state}"}} {count}')
    late = rows("SELECT COUNT(*) FROM core_job WHERE state = 'queued' AND run_at < %s", [clock.real_now()])
    lines += ["# TYPE counterfoil_jobs_due gauge", f"counterfoil_jobs_due {late[0][0]}"]
    away = waiting()
    lines += ["# TYPE counterfoil_bank_reachable gauge", f"counterfoil_bank_reachable {0 if away else 1}"]
    lines += [
        "# HELP counterfoil_bank_waiting What waits for the card processor and goes by itself when it is back.",
        "# TYPE counterfoil_bank_waiting gauge",
        f'counterfoil_bank_waiting{{kind="charge"}} {away.charges if away else 0}',
        f'counterfoil_bank_waiting{{kind="refund"}} {away.refunds if away else 0}',
    ]
    lines.append("# TYPE counterfoil_orders gauge")
    for queue, count in rows("SELECT queue, COUNT(*) FROM orders_order GROUP BY queue ORDER BY queue"):
        lines.append(f'counterfoil_orders{{queue="{queue}"}} {count}')
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")

"""The desk's work by job: what waited for its Undo, and acts on many orders."""

from __future__ import annotations

import time
from typing import Any

from counterfoil.core import jobs
from counterfoil.desk.doing import ASKS_THE_BANK, do_at_the_bank, do_deed
from counterfoil.desk.models import Deed, FileParcel
from counterfoil.desk.ship_run import ship_parcel

# A run lets other work in between after so many seconds: mails, and what its own acts set going.
TURN = 4.0


@jobs.handler("desk.deed", lease=60)
def deed(payload: dict[str, Any]) -> None:
    found = Deed.objects.select_related("order", "user").filter(pk=payload["deed"]).first()
    if found is not None:
        do_deed(found)


@jobs.handler("desk.run", lease=90)
def run(payload: dict[str, Any]) -> None:
    """Row by row, in the order of the list; what a worker that died was at comes first."""
    until = time.monotonic() + TURN
    todo = Deed.objects.filter(run=payload["run"], state__in=Deed.OPEN).order_by("state", "id")
    for one in todo.select_related("order", "user")[:100]:
        (do_at_the_bank if one.verb in ASKS_THE_BANK else do_deed)(one)
        if time.monotonic() > until:
            break
    if Deed.objects.filter(run=payload["run"], state__in=Deed.OPEN).exists():
        raise jobs.Later(0, "the other rows")


@jobs.handler("desk.ship_file", lease=90)
def ship_file(payload: dict[str, Any]) -> None:
    """Parcel by parcel, as they stand in the file; what a worker that died was at comes first."""
    until = time.monotonic() + TURN
    todo = FileParcel.objects.filter(file=payload["file"], state__in=FileParcel.OPEN).order_by("state", "id")
    for one in todo.select_related("order", "file__user")[:100]:
        ship_parcel(one)
        if time.monotonic() > until:
            break
    if FileParcel.objects.filter(file=payload["file"], state__in=FileParcel.OPEN).exists():
        raise jobs.Later(0, "the other rows")

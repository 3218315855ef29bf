"""An act of a phone on the floor, which is done once however often its phone sends it."""

from __future__ import annotations

from collections.abc import Callable

from counterfoil.core import clock
from counterfoil.core.actor import PICKER, Actor, require
from counterfoil.core.cards import says_card
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.errors import Invalid

MOST = 64


def do_once(token: str, *, order: str, actor: Actor, do: Callable[[], str]) -> tuple[str, bool]:
    """Do it, in one transaction with its token; what it said, and whether this call did it (else an earlier one).

    Raises Forbidden, Invalid (`token`) and what the act raises: then nothing is kept, and the token may be used again.
    """
    require(actor, PICKER)
    if not token or len(token) > MOST or not token.isascii() or not token.isprintable() or says_card(token):
        raise Invalid(("token", f"a random text of at most {MOST} characters"))
    with writing():
        made = rows(
            "INSERT INTO fulfilment_flooract (token, order_number, actor, said, at) VALUES (%s, %s, %s, '', %s) "
            "ON CONFLICT (token) DO NOTHING RETURNING id",
            [token, order[:40], actor.name, clock.business_now()],
        )
        if not made:
            return str(rows("SELECT said FROM fulfilment_flooract WHERE token = %s", [token])[0][0]), False
        said = do()
        execute("UPDATE fulfilment_flooract SET said = %s WHERE id = %s", [said[:500], made[0][0]])
    return said, True

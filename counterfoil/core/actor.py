"""Who acts. Every action takes one; every journal row names one."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.errors import Forbidden

OWNER, CLERK, PICKER, BUYER, BOOKKEEPER, CHANNEL = "owner", "clerk", "picker", "buyer", "bookkeeper", "channel"
ROLES = (OWNER, CLERK, PICKER, BUYER, BOOKKEEPER, CHANNEL)


@dataclass(frozen=True)
class Actor:
    """`kind` is person, key, customer or system; `name` is what a colleague reads on the timeline."""

    kind: str
    name: str
    role: str
    id: str = ""


SYSTEM = Actor("system", "Counterfoil", OWNER)


def customer(name: str) -> Actor:
    """The customer who holds an order's link."""
    return Actor("customer", name, "customer")


def require(actor: Actor, *roles: str) -> None:
    """Raise Forbidden unless the actor's role is one of `roles`. The owner may do everything."""
    if actor.role != OWNER and actor.role not in roles:
        raise Forbidden(f"this needs the role {' or '.join(roles)}; {actor.name} is {actor.role}")

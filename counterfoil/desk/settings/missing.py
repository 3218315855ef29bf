"""What a shop still lacks before its first sale: pure, from a few facts."""

from __future__ import annotations

from dataclasses import dataclass

from counterfoil.core.shop import Shop


@dataclass(frozen=True)
class Facts:
    """What the settings alone do not tell."""

    products: int
    card_key: bool
    mail: bool
    base_url: str


@dataclass(frozen=True)
class Lack:
    """One thing that is missing, why it matters, and where it is mended. `must`: nothing can be sold before."""

    text: str
    why: str
    link: str
    must: bool = True


def missing(shop: Shop, facts: Facts) -> list[Lack]:
    """What is missing, in the order of the walk; empty when the shop may open."""
    fresh = Shop()
    found = []
    if shop.name == fresh.name:
        found.append(Lack("The shop has no name of its own", "it heads every page, mail and paper", "/desk/setup/shop"))
    if not shop.address:
        found.append(Lack("The shop has no address", "papers and invoices must show it", "/desk/setup/shop"))
    if shop.email == fresh.email:
        found.append(Lack("The shop has no e-mail address", "customers' answers go nowhere", "/desk/setup/shop"))
    if not shop.deliveries:
        found.append(Lack("There is no delivery method", "nobody can check out", "/desk/setup/delivery"))
    if not shop.zones:
        found.append(Lack("No destination is taxed", "right only where you owe none", "/desk/setup/tax", must=False))
    if not facts.products:
        found.append(Lack("There is no product", "nothing can be bought", "/desk/setup/products"))
    if not facts.card_key:
        found.append(
            Lack("No card processor is connected", "set STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET, start again; until "
                 "then no card can be saved", "/desk/health")
        )  # fmt: skip
    if not facts.mail:
        found.append(Lack("No mail goes out", "set EMAIL_URL and start again; until then mails wait", "/desk/health"))
    if not facts.base_url.startswith("https://") and not _local(facts.base_url):
        found.append(
            Lack("The shop's address is not https", "set COUNTERFOIL_BASE_URL; browsers warn customers", "/desk/health")
        )
    return found


def _local(url: str) -> bool:
    return url.startswith(("http://127.", "http://localhost", "http://[::1]"))

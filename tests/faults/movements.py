"""Random work on the shelf through the same actions as everybody's, and then `verify`.

    python -m tests.faults.movements --count 100000 --database sqlite

Orders of up to 200 lines are placed, picked (some units are not to be found), packed, shipped, returned, cancelled;
goods come, break, are carried about, counted, set aside, let go and written off; reservations go from one order to
another. When as many movements are written, every invariant is judged. Exit code 0: nothing is broken.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.crowd import ROOT
from tests.faults.place import database
from tools import pg

SERVER = "COUNTERFOIL_TEST_PG_URL"
PRODUCTS = 400
SLOWEST = 60.0  # seconds: `verify` that takes as long fails, whatever it finds
BINS = [f"{row}-{n}" for row in "ABCD" for n in range(1, 13)]
LOTS = ["", "L1", "L2", "L3"]


class Walk:
    """A shop in which things happen at random. `done` counts what did, `refused` what was not possible just then."""

    def __init__(self, seed: int, *, products: int = PRODUCTS, lines: int = 200) -> None:
        from counterfoil.core.actor import OWNER, Actor
        from counterfoil.records.catalogue.actions import create_product, create_supplier

        self.random = random.Random(seed)
        self.who = Actor("person", "Olga", OWNER)
        self.most_lines = lines
        self.orders: list[str] = []
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.supplier = create_supplier(actor=self.who, name="Northfold").name
        self.skus = [f"W-{n:04d}" for n in range(products)]
        for n, sku in enumerate(self.skus):
            create_product(
                actor=self.who, sku=sku, name=f"Wine {n}", price=2000 + n, currency="USD", cost=900 + n,
                supplier=self.supplier, bin=BINS[n % len(BINS)],
            )  # fmt: skip

    def until(self, count: int, say: Callable[[str], None]) -> None:
        """Go on until so many movements are written."""
        from counterfoil.core import jobs
        from counterfoil.core.errors import Invalid, Refused
        from counterfoil.records.stock.models import Movement
        from counterfoil.shell.demo.load import ROOMS

        acts: list[tuple[Callable[[], None], int]] = [
            (self.buy, 2), (self.order, 8), (self.pick, 16), (self.send, 12), (self.give_back, 6), (self.cancel, 1),
            (self.adjust, 4), (self.damage, 3), (self.carry, 4), (self.let_go, 2), (self.write_off, 2), (self.count, 2),
            (self.reassign, 2), (self.look_for, 2),
        ]  # fmt: skip
        calls, weights = [a for a, _ in acts], [w for _, w in acts]
        for act in (self.buy, self.buy, self.buy, self.order, self.order):
            act()
        told = 0
        while (written := Movement.objects.count()) < count:
            act = self.random.choices(calls, weights)[0]
            try:
                act()
                self.done[act.__name__] += 1
            except (Refused, Invalid):
                self.refused[act.__name__] += 1
            jobs.drain(worker="walk", only=ROOMS)
            if written >= told + count // 10:
                told = written
                say(f"{written:,} movements")

    def some(self, most: int) -> list[str]:
        return self.random.sample(self.skus, self.random.randint(1, min(most, len(self.skus))))

    def units(self, most: int = 6) -> int:
        return self.random.randint(1, most)

    def buy(self) -> None:
        from counterfoil.steps.sourcing.actions import create_purchase_order, receive_goods

        lines = [{"sku": sku, "quantity": self.units(60)} for sku in self.some(len(self.skus))]
        made = create_purchase_order(actor=self.who, supplier=self.supplier, lines=lines)
        came = [
            {
                "sku": line["sku"], "received": self.units(60), "damaged": 0 if self.random.random() < 0.9 else 1,
                "lot": self.random.choice(LOTS), "bin": self.random.choice(BINS),
            }
            for line in lines
            if self.random.random() < 0.9
        ]  # fmt: skip
        if came:
            receive_goods(actor=self.who, purchase_order=made.number, lines=came)

    def order(self) -> None:
        from counterfoil.core.shop import shop
        from counterfoil.steps.checkout.actions import Wanted, place_order
        from counterfoil.steps.review.actions import approve_order

        address = {
            "name": "June", "street": "1 Mill Lane", "city": "Napa", "postcode": "94558", "state": "CA",
            "country": "US",
        }  # fmt: skip
        n = len(self.orders)
        lines = 1 + int(self.most_lines * self.random.random() ** 3)  # most orders are small
        given: dict[str, Any] = {
            "channel": "walk", "reference": f"walk-{n}", "currency": "USD", "name": "June Harper",
            "email": f"june{n}@example.com", "shipping_address": address,
            "lines": [(sku, self.units(4), None) for sku in self.some(lines)],
            "shipping_method": "Ground", "shipping_price": 1500, "payment_method": "on_delivery",
        }  # fmt: skip
        number = place_order(wanted=Wanted(**given), actor=self.who).number
        self.orders.append(number)
        approve_order(order=number, ship_estimate=shop().today(), actor=self.who)

    def one(self) -> str:
        """One of the orders, rather a young one."""
        return self.random.choice(self.orders[-30:] if self.random.random() < 0.8 else self.orders)

    def pick(self) -> None:
        from counterfoil.records.orders.models import Line
        from counterfoil.steps.fulfilment.actions import pick_order

        number = self.one()
        lines = None
        if self.random.random() < 0.4:
            held = list(Line.objects.filter(order__number=number, reserved__gt=0).values_list("sku", "reserved"))
            lines = [
                {"sku": sku, "quantity": units - short, "short": short}
                for sku, units in held
                if (short := int(self.random.random() < 0.1)) or units
            ]
        pick_order(order=number, actor=self.who, lines=lines or None)

    def send(self) -> None:
        from counterfoil.steps.fulfilment.actions import pack_order, ship_order

        number = self.one()
        pack_order(order=number, actor=self.who)
        ship_order(order=number, actor=self.who, carrier="Box & Wheel", tracking_number=f"BW {self.random.random()}")

    def give_back(self) -> None:
        from django.db.models import F

        from counterfoil.records.orders.models import Line
        from counterfoil.steps.fulfilment.actions import return_order

        number = self.one()
        gone = Line.objects.filter(order__number=number, shipped__gt=F("returned")).values_list("sku", flat=True)
        lines = [{"sku": sku, "quantity": 1} for sku in gone if self.random.random() < 0.3]
        condition = self.random.choice(["sellable", "damaged"])
        return_order(order=number, actor=self.who, lines=lines, condition=condition, reason="too sweet")

    def cancel(self) -> None:
        from counterfoil.flow.amend import cancel_order

        cancel_order(order=self.one(), reason="changed their mind", actor=self.who)

    def adjust(self) -> None:
        from counterfoil.records.stock.actions import adjust_stock

        for sku in self.some(20):
            less = self.random.random() < 0.3
            where: dict[str, Any] = {} if less else {"lot": self.random.choice(LOTS), "bin": self.random.choice(BINS)}
            adjust_stock(
                actor=self.who, sku=sku, quantity=-1 if less else self.units(20), reason="looked again", **where
            )

    def damage(self) -> None:
        from counterfoil.steps.sourcing.actions import damage_stock

        damage_stock(
            actor=self.who, sku=self.random.choice(self.skus), quantity=self.units(3), reason="fell",
            write_off=self.random.random() < 0.3,
        )  # fmt: skip

    def carry(self) -> None:
        from counterfoil.records.stock.handling import transfer_stock
        from counterfoil.records.stock.models import Place

        for place in self.random.sample(list(Place.objects.filter(on_hand__gt=0).select_related("product")[:200]), 5):
            units = self.random.randint(1, place.on_hand)
            transfer_stock(
                actor=self.who, sku=place.product.sku, quantity=units, bin=place.bin, lot=place.lot,
                to_bin=self.random.choice(BINS),
            )  # fmt: skip

    def let_go(self) -> None:
        from counterfoil.records.stock.handling import release_stock

        release_stock(actor=self.who, sku=self._aside(), quantity=1, reason="good after all")

    def write_off(self) -> None:
        from counterfoil.records.stock.handling import write_off_stock

        write_off_stock(actor=self.who, sku=self._aside(), quantity=1, reason="corked")

    def _aside(self) -> str:
        from counterfoil.records.stock.models import Balance

        held = Balance.objects.filter(quarantined__gt=0).values_list("product__sku", flat=True).order_by("product_id")
        return self.random.choice(list(held) or self.skus)

    def count(self) -> None:
        from counterfoil.steps.sourcing.actions import apply_count, enter_count, make_count_sheet
        from counterfoil.steps.sourcing.sheets import variances

        sheet = make_count_sheet(actor=self.who, skus=self.some(25))
        lines = [
            {
                "sku": v.row.product.sku, "bin": v.row.bin, "lot": v.row.lot,
                "counted": max(0, v.expected + self.random.choice([0, 0, 0, 0, 1, -1, -2])),
            }
            for v in variances(sheet)
        ]  # fmt: skip
        enter_count(actor=self.who, sheet=sheet.number, counted=lines)
        apply_count(actor=self.who, sheet=sheet.number, reason="counted")

    def reassign(self) -> None:
        from counterfoil.records.orders.models import Line
        from counterfoil.steps.sourcing.actions import move_reservation

        waits = [
            ln for ln in Line.objects.filter(order__number__in=self.orders[-12:], order__cancelled_at=None)
            .select_related("order") if ln.open_units > 0
        ]  # fmt: skip
        wants = self.random.choice(waits) if waits else None
        holds = wants and Line.objects.filter(
            product=wants.product_id, reserved__gt=0, order__number__in=self.orders[-30:]
        ).exclude(order=wants.order_id).first()  # fmt: skip
        if wants and holds:
            move_reservation(
                actor=self.who, order=wants.order.number, from_order=holds.order.number, sku=wants.sku, quantity=1,
                reason="a wedding",
            )  # fmt: skip

    def look_for(self) -> None:
        from counterfoil.steps.sourcing.actions import close_count
        from counterfoil.steps.sourcing.models import CountTask

        for task in CountTask.objects.filter(closed_at=None)[:5]:
            close_count(task=task.pk, found=self.random.randint(0, task.missing), actor=self.who)


def judge(say: Callable[[str], None]) -> tuple[int, float]:
    """Every invariant with its time, if it took long; how many are broken, and the seconds of all of it."""
    from counterfoil.flow.verify import CHECKS

    broken = 0
    began = time.monotonic()
    for name, check in CHECKS:
        at = time.monotonic()
        for finding in check():
            # Papers and mails are left to a worker, and none runs here: they are owed, which hurts no bottle.
            if "job core.render " in finding or "job mail." in finding:
                continue
            broken += 1
            say(f"BROKEN  {name}: {finding}")
        if (took := time.monotonic() - at) > 0.5:
            say(f"  {took:5.1f} s  {name}")
    seconds = time.monotonic() - began
    say(f"verify: {len(CHECKS)} invariants in {seconds:.1f} s, {broken} broken")
    return broken, seconds


def verdict(broken: int, seconds: float) -> int:
    """The exit code: 0 while nothing is broken and `verify` is done within its minute."""
    return 1 if broken or seconds >= SLOWEST else 0


def run(url: str, *, seed: int, count: int, products: int = PRODUCTS) -> int:
    """The walk on the database at `url`, which is made ready here. Prints what it found; see `verdict`."""
    os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="counterfoil.shell.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    walk = Walk(seed, products=products)
    walk.until(count, print)
    print(
        f"{count:,} movements in {time.monotonic() - began:.0f} s; done {dict(walk.done)}; refused {dict(walk.refused)}"
    )
    return verdict(*judge(print))


def main(arguments: list[str] | None = None) -> int:
    """Run on a database of its own; 0 when nothing is broken and it was seen in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.movements", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--products", type=int, default=PRODUCTS)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = parser.parse_args(arguments)
    var = ROOT / "var" / "movements"
    var.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{chosen.database}-", dir=var)))
        folder.chmod(0o755)  # PostgreSQL, started by root, runs as a user of its own and must get through
        if chosen.database == "postgresql" and not os.environ.get(SERVER):
            os.environ[SERVER] = pg.start(folder / "pg", durable=False)
            stack.callback(pg.stop, folder / "pg")
        url = stack.enter_context(database(chosen.database, folder))
        code = run(url, seed=chosen.seed, count=chosen.count, products=chosen.products)
        from django.db import connections

        connections.close_all()
    return code


if __name__ == "__main__":
    sys.exit(main())

"""`counterfoil import-orders`: orders of another shop, in batches. A bad line is told and kept; it stops nothing."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from counterfoil.core import clock
from counterfoil.gateways.storefront.lines import Raw, Rejects, read_lines
from counterfoil.gateways.storefront.oscommerce.orders import read_order
from counterfoil.gateways.storefront.progress import progress
from counterfoil.gateways.storefront.protocol import BadLine, FeedOrder, OrderReader
from counterfoil.steps.checkout.drafts import TWICE, Draft
from counterfoil.steps.checkout.import_batch import write_batch

BATCH = 200
_TOGETHER = timedelta(minutes=1)
_REMEMBERED = 5_000


@dataclass
class Import:
    """A run of the importer: what has been counted, what is waiting to be written."""

    rejects: Rejects
    read: OrderReader = read_order
    new: int = 0
    known: int = 0
    batch: list[Draft] = field(default_factory=list)
    # The last order of each customer with these very lines; the oldest are forgotten.
    recent: OrderedDict[tuple[object, ...], Draft] = field(default_factory=OrderedDict)
    double: list[Draft] = field(default_factory=list)

    def take(self, raw: Raw) -> None:
        """Read one line, and write a batch when there are enough."""
        try:
            if raw.wrong:
                raise BadLine(raw.wrong)
            feed = self.read(raw.text)
        except BadLine as wrong:
            self.rejects.add(raw.number, str(wrong), raw.text)
            return
        except RecursionError:
            self.rejects.add(raw.number, "broken JSON: nested too deeply", raw.text)
            return
        draft = Draft(raw.number, raw.text, feed)
        self._compare(draft)
        self.batch.append(draft)
        if len(self.batch) >= BATCH:
            self.write()

    def write(self) -> None:
        """Write what is waiting."""
        if not self.batch:
            return
        written = write_batch(self.batch, self.double)
        self.new += written.new
        self.known += written.known
        for draft, skus in written.strange:
            named = ", ".join(skus[:5])
            self.rejects.add(draft.number, f"lines: no product {named} here; import the products first", draft.text)
        for draft in self.batch:
            draft.text = ""
        self.batch, self.double = [], []

    def _compare(self, draft: Draft) -> None:
        """A double click in the other shop leaves the same order twice: both are taken, and a person looks at them."""
        key = _sameness(draft.feed)
        before = self.recent.pop(key, None)
        self.recent[key] = draft
        if len(self.recent) > _REMEMBERED:
            self.recent.popitem(last=False)
        if before is None or before.key == draft.key:
            return
        if abs(draft.feed.placed_at - before.feed.placed_at) <= _TOGETHER:
            for one, other in ((draft, before), (before, draft)):
                one.late_flags.append({"code": TWICE, "text": _twice(other.feed)})
            if before.order:
                self.double.append(before)


def _sameness(feed: FeedOrder) -> tuple[object, ...]:
    lines = tuple(sorted((ln.sku, ln.name, ln.quantity, ln.unit_price) for ln in feed.lines))
    return feed.channel, feed.email.lower(), feed.currency, lines


def _twice(other: FeedOrder) -> str:
    return (
        f"Placed twice within a minute by the same customer with the same lines: order {other.reference} of "
        f"{other.channel} is the other one"
    )


def import_orders(path: Path, say: Callable[[str], None] | None = None) -> int:
    """Import a file of JSON lines; 0 when all of it is here now, 1 when lines were rejected. Again: adds nothing.

    Raises OSError when the file cannot be read. What was written before a crash stays, and is found by the next run.
    """
    say = say or _print
    begun = clock.monotonic()
    with path.open("rb") as file, Rejects(path, "jsonl") as rejects, progress(path, "orders") as moved:
        run = Import(rejects)
        for at, raw in enumerate(read_lines(file), start=1):
            run.take(raw)
            if at % 50 == 0:
                moved(file.tell(), f"{at:,} orders")
        run.write()
    seconds = max(clock.monotonic() - begun, 0.001)
    say("\n".join([*rejects.summary(), summary(run, seconds)]))
    return 1 if rejects.count else 0


def summary(run: Import, seconds: float) -> str:
    """'311 orders: 311 new, 0 already there, 0 rejected in 0.3 s (1,037/s)'."""
    rejected = run.rejects.count
    count = run.new + run.known + rejected
    return (
        f"{count:,} orders: {run.new:,} new, {run.known:,} already there, {rejected:,} rejected "
        f"in {seconds:.1f} s ({count / seconds:,.0f}/s)"
    )


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")

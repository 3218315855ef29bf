"""What stands on a day sheet: the figures of a time, and the sentences made of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from counterfoil.core.money import show

Figures = Mapping[str, Any]
NAMED = 12  # orders or papers in one line


def gaps(numbers: Iterable[str], before: str = "") -> list[str]:
    """The numbers of a series that are missing between those given; `before`: the last one of the day before."""
    given = {int(n.rpartition("-")[2]): n.rpartition("-")[0] for n in numbers}
    if not given:
        return []
    prefix = next(iter(given.values()))
    first = int(before.rpartition("-")[2]) + 1 if before else min(given)
    return [f"{prefix}-{n:04d}" for n in range(min(first, *given), max(given)) if n not in given]


def differences(ours: Mapping[str, int], theirs: Mapping[str, int], currency: str, what: str) -> list[dict[str, Any]]:
    """Where our books and the processor's lines of one time differ, order by order. Amounts in minor units."""
    found = []
    for order in sorted({*ours, *theirs}):
        mine, yours = ours.get(order, 0), theirs.get(order, 0)
        if mine == yours:
            continue
        if not yours:
            words = f"{what} in our books; the processor has not told us of it yet"
        elif not mine:
            words = f"{what} at the processor; in our books it is of another day, or not at all"
        else:
            words = f"{what}: {show(mine, currency)} in our books, {show(yours, currency)} at the processor"
        found.append({"order": order, "currency": currency, "amount": mine - yours, "words": words})
    return found


def sections(figures: Figures) -> list[dict[str, Any]]:
    """The sheet as titled rows, for the page and for the paper alike."""
    return [
        {"title": "Shipped", "rows": _shipped(figures)},
        {"title": "By card, against the processor", "rows": _card(figures)},
        {"title": "In hand", "rows": _in_hand(figures)},
        {"title": "Invoices and credit notes", "rows": _papers(figures)},
        {"title": "File copies for the drawer", "rows": _copies(figures)},
        {"title": "Stays open", "rows": _open(figures)},
    ]


def _shipped(figures: Figures) -> list[dict[str, Any]]:
    return [
        {"what": row["carrier"], "amount": str(len(row["orders"])), "note": ", ".join(row["orders"])}
        for row in figures["shipped"]
    ] or [{"what": "Nothing was shipped", "amount": "0"}]


def _card(figures: Figures) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for one in figures["card"]:
        currency = one["currency"]
        for name, word in (("charged", "charge"), ("refunded", "refund")):
            mine, yours = one[name], one[f"{name}_there"]
            agrees = "the processor agrees" if mine == yours else f"the processor has {show(yours, currency)}"
            count = one[f"{name}_count"]
            what = f"{count or 'No'} {word}{'' if count == 1 else 's'}"
            rows.append({"what": what, "amount": show(mine, currency), "note": agrees})
    rows += [
        {"what": f"{d['order']}: {d['words']}", "amount": show(d["amount"], d["currency"])}
        for d in figures["differences"]
    ]
    return rows or [{"what": "No card was charged, and nothing refunded"}]


def _in_hand(figures: Figures) -> list[dict[str, Any]]:
    return [{"what": row["what"], "amount": show(row["amount"], row["currency"])} for row in figures["in_hand"]] or [
        {"what": "No money came in by hand"}
    ]


def _papers(figures: Figures) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for kind, word in (("invoices", "Invoices"), ("credit_notes", "Credit notes")):
        one = figures[kind]
        if not one["count"]:
            rows.append({"what": f"No {word.lower()}"})
            continue
        rows.append({"what": f"{word} {one['from']} to {one['to']}", "amount": str(one["count"])})
        missing = one["gaps"]
        note = f"missing: {few(missing)}" if missing else "no number is missing"
        rows[-1]["note"] = note
    return rows


def _copies(figures: Figures) -> list[dict[str, Any]]:
    copies = figures["copies"]
    if copies["pdf"]:
        return [{"what": "Kept as PDF only", "amount": str(copies["count"])}]
    rows = [{"what": f"{n}: to be printed", "tick": True} for n in copies["to_print"]]
    rows += [{"what": f"{n}: printed, to be filed", "tick": True} for n in copies["printed"]]
    return rows or [{"what": "None"}]


def _open(figures: Figures) -> list[dict[str, Any]]:
    return [
        {"what": row["name"], "amount": str(row["count"]), **({"note": f"{row['late']} late"} if row["late"] else {})}
        for row in figures["open"]
    ] or [{"what": "Nothing"}]


def few(numbers: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(numbers) - NAMED
    return ", ".join(numbers[:NAMED]) + (f" and {more} more" if more > 0 else "")

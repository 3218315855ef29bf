"""Between a section's form and the settings: rows come and go without a script, and every mistake has its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from counterfoil.core.cards import says_card
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import Shop
from counterfoil.core.text import clean
from counterfoil.desk.settings.kinds import Field
from counterfoil.desk.settings.sections import Rates, Rows, Section, rate_column

Form = dict[str, str]
MOST_CLASSES = 8
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ALWAYS_THERE = {"select", "tick"}  # cells that hold something even in a row that nobody has written in


@dataclass(frozen=True)
class Table:
    """A setting's rows as the page shows them: the columns, and the cells of each row by column."""

    rows: Rows
    columns: tuple[Field, ...]
    lines: list[Form]

    def cell(self, at: int, column: Field) -> str:
        """The name of a cell's field."""
        return f"{self.rows.name}.{at}.{column.name}"


def shown(section: Section, shop: Shop, classes: Iterable[str] = ()) -> Form:
    """The settings of a section as its form holds them; `classes` are the tax classes that products have."""
    form: Form = {}
    for item in section.items():
        value = getattr(shop, item.name)
        if isinstance(item, Rows):
            flat = item.apart(value)
            if isinstance(item, Rates):
                used = {k.removeprefix("rate ") for row in flat for k in row if k.startswith("rate ")}
                form[f"{item.name}.classes"] = "\n".join(_in_order(used | set(classes)))
            form[f"{item.name}.rows"] = "1"
            columns = _columns(item, form)
            for at, row in enumerate(flat):
                for column in columns:
                    form[f"{item.name}.{at}.{column.name}"] = column.shown(row.get(column.name), shop.currency)
        elif item.kind == "weekdays":
            form |= {f"{item.name}.{day}": "on" for day in value}
        else:
            form[item.name] = item.shown(value, shop.currency)
    return form


def tables(section: Section, form: Form, *, blank: bool = True) -> dict[str, Table]:
    """Every list of a section as the form holds it, with an empty row at the end to write in."""
    found = {}
    for item in section.items():
        if isinstance(item, Rows):
            columns = _columns(item, form)
            lines = _lines(item, columns, form)
            found[item.name] = Table(item, columns, [*lines, {}] if blank else lines)
    return found


def tidied(section: Section, form: Mapping[str, str]) -> Form:
    """The form with its rows numbered anew, without the empty ones."""
    out = dict(form)
    for item in section.items():
        if isinstance(item, Rows):
            columns = _columns(item, out)
            lines = _lines(item, columns, out)
            out = {k: v for k, v in out.items() if _place(item.name, k) is None}
            for at, line in enumerate(lines):
                out |= {f"{item.name}.{at}.{name}": text for name, text in line.items()}
    return out


def done_to_rows(section: Section, form: Form, what: str) -> Form:
    """The form after one of its buttons for rows: `remove zones 3`, `add zones` (a tidied form gains the empty row by
    itself), `class zones` with the field `new_class`. Raises Invalid for a tax class that cannot be.
    """
    verb, _, rest = what.partition(" ")
    name, _, at = rest.partition(" ")
    item = section.rows(name)
    if item is None:
        return form
    if verb == "remove" and at.isascii() and at.isdigit() and len(at) < 6:
        gone = f"{name}.{int(at)}."
        return tidied(section, {k: v for k, v in form.items() if not k.startswith(gone)})
    if verb == "class" and isinstance(item, Rates):
        kind = clean(form.get("new_class", "")).lower()
        known = form.get(f"{name}.classes", "").split("\n")
        if not kind or len(kind) > 40 or says_card(form.get("new_class", "")) or "\n" in kind:
            raise Invalid(("new_class", "name the class as your products have it, such as reduced"))
        if len(known) >= MOST_CLASSES:
            raise Invalid(("new_class", f"at most {MOST_CLASSES} classes"))
        form = {**form, f"{name}.classes": "\n".join(_in_order({*known, kind})), "new_class": ""}
    return tidied(section, form)


def read(section: Section, form: Form, shop: Shop) -> dict[str, Any]:
    """The settings of a tidied form. Raises Invalid with every field that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    currency = shop.currency

    def one(asked: Field, name: str) -> Any:
        try:
            return asked.read(form.get(name, ""), currency)
        except ValueError as error:
            wrong.append((name, str(error)))
            return None

    for item in section.items():
        if isinstance(item, Rows):
            if f"{item.name}.rows" not in form:
                continue
            table = tables(section, form, blank=False)[item.name]
            rows = []
            for at, line in enumerate(table.lines):
                cells = {}
                for column in table.columns:
                    text = line.get(column.name, "")
                    empty = column.kind == "rate" and not text.strip()
                    cells[column.name] = None if empty else one(column, table.cell(at, column))
                rows.append(cells)
            if not any(name.startswith(f"{item.name}.") for name, _ in wrong):
                values[item.name] = item.together(rows)
        elif item.kind == "weekdays":
            values[item.name] = [day for day in range(7) if form.get(f"{item.name}.{day}")]
        else:
            values[item.name] = one(item, item.name)
    if wrong:
        raise Invalid(*wrong)
    return values


def at_fields(section: Section, form: Form, error: str) -> dict[str, str]:
    """A refusal of core's, `zones.2.country: words`, as an error of the field that it names, or of its list."""
    name, _, words = error.partition(": ")
    if not words:
        return {"": error}
    if name in form or any(item.name == name for item in section.items()):
        return {name: words}
    return {name.partition(".")[0]: words}


def _columns(item: Rows, form: Mapping[str, str]) -> tuple[Field, ...]:
    if not isinstance(item, Rates):
        return item.columns
    kinds = [clean(kind) for kind in form.get(f"{item.name}.classes", "").splitlines() if kind.strip()][:MOST_CLASSES]
    return (*item.columns, *(rate_column(kind) for kind in kinds or ["standard"]))


def _in_order(kinds: set[str]) -> list[str]:
    return ["standard", *sorted(kind for kind in kinds if kind and kind != "standard")]


def _place(name: str, key: str) -> tuple[int, str] | None:
    """`zones.3.country` of zones -> (3, "country")."""
    start = f"{name}."
    if not key.startswith(start):
        return None
    at, _, column = key[len(start) :].partition(".")
    return (int(at), column) if at.isascii() and at.isdigit() and len(at) < 6 and column else None


def _lines(item: Rows, columns: tuple[Field, ...], form: Mapping[str, str]) -> list[Form]:
    """The rows in which something is written, in the order in which they will be stored."""
    found: dict[int, Form] = {}
    for key, text in form.items():
        place = _place(item.name, key)
        if place is not None:
            found.setdefault(place[0], {})[place[1]] = text
    written = {c.name for c in columns if c.kind not in _ALWAYS_THERE}
    lines = [line for _, line in sorted(found.items()) if any(line.get(name, "").strip() for name in written)]
    return sorted(lines, key=lambda line: not line.get("state", "").strip()) if isinstance(item, Rates) else lines

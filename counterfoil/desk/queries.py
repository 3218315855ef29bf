"""What the desk reads. The queue page is a handful of statements, whatever stands in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db.models import Count, Model, OuterRef, QuerySet, Subquery

from counterfoil.core.db import is_postgres, moment, read, read_each, rows
from counterfoil.core.models import Document, JournalEvent, Printing
from counterfoil.desk.glance import Glance, branches, glance_of
from counterfoil.desk.narrow import LOOKED_AT, Narrow
from counterfoil.desk.rail_branches import IN_NO_LIST
from counterfoil.records.catalogue.models import Product
from counterfoil.records.orders.models import Call, Charge, Hold, Line, Order, Package, Part, Proposal, Refund, Shipment
from counterfoil.steps.charging.models import BalanceEntry, Dispute

PAGE = 50
SOONEST = "CASE WHEN deadline IS NULL THEN 1 ELSE 0 END, deadline, leave_by, id"


@dataclass(frozen=True)
class Place:
    """A place in a queue: after this deadline (None: those without one, which come last), cut-off and id."""

    deadline: date | None
    leave_by: int
    id: int

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """'2026-11-24~990~1047' or '~1440~1047'; None for anything else."""
        day, *numbers = text.split("~")
        if len(numbers) != 2 or not all(n.isdecimal() for n in numbers) or len(numbers[0]) > 4 or len(numbers[1]) > 18:
            return None
        try:
            return cls(date.fromisoformat(day) if day else None, int(numbers[0]), int(numbers[1]))
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.deadline.isoformat() if self.deadline else ''}~{self.leave_by}~{self.id}"


def queue_page(
    queue: str, after: Place | None = None, *, narrow: Narrow | None = None
) -> tuple[list[Order], Place | None]:
    """Fifty orders of a queue, soonest deadline first, on one day the soonest cut-off, and where the next page starts.

    One statement over two index ranges: those with a deadline, then those without. Narrowed, it looks at so many of
    each, and no more.
    """
    ids, params = _soonest(queue, after, LOOKED_AT if narrow else PAGE + 1)
    if narrow:
        ids, params = _narrowed(ids, params, narrow, PAGE + 1)
    found = read(Order, f"WHERE id IN ({ids})", params)
    found.sort(key=lambda o: (o.deadline is None, o.deadline or date.max, o.leave_by, o.pk))
    if len(found) <= PAGE:
        return found, None
    last = found[PAGE - 1]
    return found[:PAGE], Place(last.deadline, last.leave_by, last.pk)


def _soonest(queue: str, after: Place | None, limit: int) -> tuple[str, list[Any]]:
    """SQL for the ids of a queue's orders after a place, with its parameters: so many of each of the two ranges."""
    branches, params = [], list[Any]()
    if after is None or after.deadline is not None:
        seek = " AND (deadline, leave_by, id) > (%s, %s, %s)" if after else ""
        branches.append(f"deadline IS NOT NULL{seek} ORDER BY deadline, leave_by, id")
        params += [queue, *([str(after.deadline), after.leave_by, after.id] if after else [])]
    seek = " AND (leave_by, id) > (%s, %s)" if after and after.deadline is None else ""
    branches.append(f"deadline IS NULL{seek} ORDER BY leave_by, id")
    params += [queue, *([after.leave_by, after.id] if after and seek else [])]
    ids = " UNION ALL ".join(
        f"SELECT id FROM (SELECT id FROM orders_order WHERE queue = %s AND {IN_NO_LIST} AND {branch} "
        f"LIMIT {limit}) AS b{i}"
        for i, branch in enumerate(branches)
    )
    return ids, params


def _narrowed(ids: str, params: list[Any], narrow: Narrow, limit: int) -> tuple[str, list[Any]]:
    """Of those ids the soonest that the filter lets through."""
    condition, more = narrow.condition()
    found = f"SELECT id FROM orders_order WHERE id IN ({ids}) AND {condition} ORDER BY {SOONEST}"
    return f"SELECT id FROM ({found} LIMIT {limit}) AS narrowed", [*params, *more]


class Brief(NamedTuple):
    """What a row of a list needs of a line: a fifth of the cost of the objects behind it."""

    order: int
    name: str
    quantity: int
    short: int
    due: int
    due_date: date | None
    gone: int  # picked or shipped
    promise_date: date | None
    money: str
    expires_at: datetime | None
    part: int  # its id
    decline_class: str
    retry_at: datetime | None
    grace_until: datetime | None
    let_go_at: datetime | None
    left: int = 0  # of what its part costs, still to be paid


# In the order of a brief's columns. What is short is what neither lies ready, has gone, nor is due.
_BRIEF = (
    "SELECT l.order_id, l.name, l.quantity, l.quantity - l.reserved - l.picked - l.shipped - l.due, l.due, l.due_date, "
    "l.picked + l.shipped, p.promise_date, p.money, p.authorisation_expires_at, p.id, p.decline_class, p.retry_at, "
    "p.grace_until, p.let_go_at, p.total - p.charged + p.given_back "
    "FROM orders_line l JOIN orders_part p ON p.id = l.part_id "
    "WHERE l.order_id IN ({}) ORDER BY l.order_id, l.position"
)


def lines_of(order: Order) -> list[Line]:
    """An order's lines with their part and product: one statement."""
    return _lines(*read_each(*_whole(order)))


def lines_and_events(order: Order, limit: int = 200) -> tuple[list[Line], list[JournalEvent]]:
    """An order's lines as above, and what happened to it, newest first: one statement."""
    newest = "WHERE id IN (SELECT id FROM core_journalevent WHERE subject = %s ORDER BY id DESC LIMIT %s)"
    *found, events = read_each(*_whole(order), (JournalEvent, newest, [order.number, limit]))
    return _lines(*found), events[::-1]


def _whole(order: Order) -> list[tuple[type[Model], str, Sequence[Any]]]:
    mine = [order.pk]
    bought = "WHERE id IN (SELECT product_id FROM orders_line WHERE order_id = %s)"
    return [(Line, "WHERE order_id = %s", mine), (Part, "WHERE order_id = %s", mine), (Product, bought, mine)]


def _lines(lines: list[Line], parts: list[Part], products: list[Product]) -> list[Line]:
    part, product = {p.pk: p for p in parts}, {p.pk: p for p in products}
    for line in lines:
        line.part, line.product = part[line.part_id], product[line.product_id]
    return sorted(lines, key=lambda line: int(line.position))


def briefs_of(orders: Sequence[Order]) -> dict[int, list[Brief]]:
    """The lines of a list's orders in brief, by order id: one statement."""
    briefs: dict[int, list[Brief]] = {o.pk: [] for o in orders}
    if briefs:
        made = Brief._make if is_postgres() else _of_sqlite
        for found in rows(_BRIEF.format(", ".join(["%s"] * len(briefs))), list(briefs)):
            briefs[found[0]].append(made(found))
    return briefs


def _of_sqlite(found: tuple[Any, ...]) -> Brief:
    """SQLite's moments bear no time zone; they are in UTC."""
    made = Brief(*found)
    return made._replace(
        expires_at=moment(made.expires_at),
        retry_at=moment(made.retry_at),
        grace_until=moment(made.grace_until),
        let_go_at=moment(made.let_go_at),
    )


@dataclass(frozen=True)
class Standing:
    """An act on an order that waits for its Undo (until `at`), or was refused after it (`why`)."""

    id: int
    verb: str
    by: str
    at: datetime | None
    why: str = ""


# Acts of an order that wait, or were refused after waiting: id, verb and reason, by whom, when. Two parameters.
_DEEDS = (
    " UNION ALL SELECT CASE d.state WHEN 'refused' THEN 'x' ELSE 'w' END, {id}, d.verb || '|' || d.message, u.name, "
    "{at}{more} FROM desk_deed d JOIN access_user u ON u.id = d.user_id WHERE d.order_id = %s "
    "AND (d.state IN ('waiting', 'running') OR (d.state = 'refused' AND NOT d.seen))"
)


def _standings(found: Sequence[Sequence[Any]]) -> dict[str, Any]:
    stands = {"w": list[Standing](), "x": list[Standing]()}
    for kind, pk, text, by, at, *_ in found:
        if kind in stands:
            verb, _, why = str(text).partition("|")
            stands[kind].append(Standing(int(pk), verb, str(by), moment(at), why))
    return {"going": next(iter(stands["w"]), None), "refused": stands["x"]}


@dataclass(frozen=True)
class Asked:
    """Open holds, the open question and the promises of an order, as its pages show them."""

    holds: list[tuple[int, str, str]]  # id, reason, by
    question: tuple[str, datetime | None] | None  # token, expires at
    # On the order's page: promises ("p") and notices of delay ("n"), each with the part's number, its columns as texts,
    # and when. See `desk/promised.py`.
    said: list[tuple[str, int, list[str], datetime | None]] = field(default_factory=list)
    going: Standing | None = None  # an act on it that is about to go out
    refused: list[Standing] = field(default_factory=list)  # acts on it that did not, of which nobody has taken note
    glance: Glance | None = None  # the customer
    tellings: list[tuple[int, str]] = field(default_factory=list)  # what they are to be told on the telephone


def _tellings(order: Order, *, more: str = "") -> tuple[str, list[str]]:
    """What a customer without an e-mail address is to be told, as a branch of the unions below, and its parameters."""
    if order.email:
        return "", []
    as_text = "CAST(id AS TEXT)" if more else "id"
    branch = f" UNION ALL SELECT 'te', {as_text}, title, '', NULL{more} FROM core_telling WHERE subject = %s "
    return branch + "AND told_at IS NULL", [order.number]


def _told(found: Sequence[Sequence[Any]]) -> list[tuple[int, str]]:
    return sorted((int(r[1]), str(r[2])) for r in found if r[0] == "te")


def asked_of(order: Order) -> Asked:
    """Holds, question and acts that wait, in one statement."""
    cast = "::text" if is_postgres() else ""
    at = f"expires_at{cast}"
    customer, known = branches(order, as_text=False)
    telling, number = _tellings(order)
    found = rows(
        "SELECT 'h', id, reason, placed_by, NULL FROM orders_hold WHERE order_id = %s AND released_at IS NULL "
        f"UNION ALL SELECT 'q', id, token, made_by, {at} FROM orders_proposal WHERE order_id = %s AND state = 'open'"
        + _DEEDS.format(id="d.id", at=f"d.due_at{cast}", more="")
        + customer
        + telling,
        [order.pk, order.pk, order.pk, *known, *number],
    )
    holds = [(int(r[1]), str(r[2]), str(r[3])) for r in found if r[0] == "h"]
    asked = next(((str(r[2]), moment(r[4])) for r in found if r[0] == "q"), None)
    glance = glance_of(order, found)
    return Asked(sorted(holds), asked, **_standings(found), glance=glance, tellings=_told(found))


def _promises(cast: str) -> str:
    """Promises and notices of delay of an order, as branches of the union below; two parameters."""

    def joined(*columns: str) -> str:
        return " || '|' || ".join(f"COALESCE(CAST({c} AS TEXT), '')" for c in columns)

    of_promise = joined("q.version", "q.date", "q.consent", "q.legal_deadline", "q.rule", "q.basis")
    of_notice = joined("n.offered", "n.silence", "n.answer_by", "n.outcome")
    return (
        f"UNION ALL SELECT 'p', CAST(g.number AS TEXT), {of_promise}, '', q.at{cast}, FALSE FROM orders_promise q "
        "JOIN orders_part g ON g.id = q.part_id WHERE g.order_id = %s "
        f"UNION ALL SELECT 'n', CAST(g.number AS TEXT), {of_notice}, '', n.sent_at{cast}, FALSE FROM orders_notice n "
        "JOIN orders_part g ON g.id = n.part_id WHERE n.order_id = %s"
    )


@dataclass(frozen=True)
class Log:
    """What was changed on an order, and what was said with its customer on earlier ones."""

    amendments: list[tuple[int, str, str, datetime | None, bool]]  # number, text, by, at, undone
    earlier: list[tuple[str, str, str, datetime | None]]  # order, text, by, at: the newest first


def asked_and_log(order: Order, limit: int = 6) -> tuple[Asked, Log]:
    """Holds and question, promises and notices, amendments, contacts on the customer's other orders: one statement."""
    cast = "::text" if is_postgres() else ""
    customer, known = branches(order, as_text=True, more=", FALSE")
    telling, number = _tellings(order, more=", FALSE")
    found = rows(
        "SELECT 'h', CAST(id AS TEXT), reason, placed_by, NULL, FALSE FROM orders_hold "
        "WHERE order_id = %s AND released_at IS NULL UNION ALL "
        f"SELECT 'q', CAST(id AS TEXT), token, made_by, expires_at{cast}, FALSE FROM orders_proposal "
        "WHERE order_id = %s AND state = 'open' UNION ALL "
        f"SELECT 'a', CAST(a.number AS TEXT), a.text, a.actor, a.at{cast}, EXISTS (SELECT 1 FROM orders_amendment u "
        "WHERE u.undoes_id = a.id) FROM orders_amendment a WHERE a.order_id = %s UNION ALL "
        f"SELECT 'c', number, text, actor, at{cast}, FALSE FROM (SELECT o.number, c.text, c.actor, c.at "
        "FROM orders_contact c JOIN orders_order o ON o.id = c.order_id WHERE o.customer_id = %s AND o.id <> %s "
        f"ORDER BY c.id DESC LIMIT {limit}) AS earlier {_promises(cast)}"
        + _DEEDS.format(id="CAST(d.id AS TEXT)", at=f"d.due_at{cast}", more=", FALSE")
        + customer
        + telling,
        [order.pk, order.pk, order.pk, order.customer_id, order.pk, order.pk, order.pk, order.pk, *known, *number],
    )
    holds = sorted((int(r[1]), str(r[2]), str(r[3])) for r in found if r[0] == "h")
    question = next(((str(r[2]), moment(r[4])) for r in found if r[0] == "q"), None)
    made = sorted((int(r[1]), str(r[2]), str(r[3]), moment(r[4]), bool(r[5])) for r in found if r[0] == "a")
    said = [(str(r[1]), str(r[2]), str(r[3]), moment(r[4])) for r in found if r[0] == "c"]
    told = [(str(r[0]), int(r[1]), str(r[2]).split("|"), moment(r[4])) for r in found if r[0] in {"p", "n"}]
    glance = glance_of(order, found)
    asked = Asked(holds, question, told, **_standings(found), glance=glance, tellings=_told(found))
    return asked, Log(made, said)


@dataclass(frozen=True)
class Dossier:
    """Everything the order page shows beside the slip."""

    proposals: list[Proposal]
    packages: list[Package]
    shipments: list[Shipment]
    charges: Sequence[Charge]  # each with its `fee`, where it is known
    refunds: list[Refund]
    documents: list[Document]
    disputes: list[Dispute]
    calls: list[Call]


def dossier(order: Order) -> Dossier:
    """Questions, parcels, money, papers and calls of one order, oldest first: two statements."""
    mine, charged = "WHERE order_id = %s", "WHERE part_id IN (SELECT id FROM orders_part WHERE order_id = %s)"
    of_charges = f"charge_id IN (SELECT id FROM orders_charge {charged})"
    parts, charges, fees, disputes, refunds, proposals, packages, shipments, calls = read_each(
        (Part, mine, [order.pk]),
        (Charge, charged, [order.pk]),
        (BalanceEntry, f"WHERE kind = 'charge' AND {of_charges}", [order.pk]),
        (Dispute, mine, [order.pk]),
        (Refund, charged, [order.pk]),
        (Proposal, mine, [order.pk]),
        (Package, f"{mine} AND unpacked_at IS NULL", [order.pk]),
        (Shipment, mine, [order.pk]),
        (Call, mine, [order.pk]),
    )
    part_of, fee_of = {p.pk: p for p in parts}, {f.charge_id: f.fee for f in reversed(fees)}
    for row in (*charges, *refunds):
        row.part = part_of[row.part_id]
    for charge in charges:
        charge.fee = fee_of.get(charge.pk)
    charge_of = {c.pk: c for c in charges}
    for dispute in disputes:
        dispute.order, dispute.charge = order, charge_of[dispute.charge_id]
    packages.sort(key=lambda box: box.number)
    return Dossier(proposals, packages, shipments, charges, refunds, list(_documents(order)), disputes, calls)


def _documents(order: Order) -> QuerySet[Document]:
    """The papers of an order, each with how often it was `printed`, and `printed_by` whom and when the last time."""
    last = Printing.objects.filter(document=OuterRef("pk")).order_by("-id")
    return (
        Document.objects.filter(subject=order.number)
        .defer("content")
        .annotate(
            printed=Count("printing"),
            printed_by=Subquery(last.values("actor")[:1]),
            printed_at=Subquery(last.values("at")[:1]),
        )
        .order_by("id")
    )


def open_holds(order: Order) -> list[Hold]:
    return list(Hold.objects.filter(order=order, released_at=None).order_by("id"))


def parts_of(order: Order) -> list[Part]:
    return list(Part.objects.filter(order=order).order_by("number"))


def list_of(queue: str, narrow: Narrow) -> tuple[str, list[Any]]:
    """SQL for the ids of all orders that a narrowed list goes through, page after page, with its parameters."""
    return _narrowed(*_soonest(queue, None, LOOKED_AT), narrow, 2 * LOOKED_AT)


def numbers_of(queue: str, limit: int) -> list[str]:
    """The numbers of a queue's orders, the soonest deadline first."""
    found = rows(
        f"SELECT number FROM orders_order WHERE queue = %s AND {IN_NO_LIST} ORDER BY {SOONEST} LIMIT %s",
        [queue, limit],
    )
    return [str(number) for (number,) in found]

"""What import-linter cannot see: foreign keys by name, migrations that nobody made, triggers that do not bite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, models, transaction

from counterfoil.core import triggers
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, rows, writing
from counterfoil.core.documents import issue
from counterfoil.core.journal import record
from counterfoil.core.logos import keep
from counterfoil.records.books.ledger import post
from counterfoil.records.catalogue.models import Product
from counterfoil.records.stock.ledger import Change, move
from counterfoil.records.stock.models import Balance
from tests.crowd import start
from tests.support import png

# A lower floor never points at a higher one. Inside records: who may point at whom.
FLOORS = {"core": 0, "records": 1, "gateways": 1, "steps": 2, "flow": 3, "desk": 4, "shell": 5}
RECORDS = {
    "catalogue": {"catalogue"},
    "customers": {"customers", "catalogue"},
    "stock": {"stock", "catalogue"},
    "books": {"books"},
    "orders": {"orders", "catalogue", "customers"},
}


def room(model: type[models.Model]) -> list[str]:
    """['records', 'orders'] for a model of counterfoil.records.orders; [] for one that is not ours."""
    parts = apps.get_app_config(model._meta.app_label).name.split(".")
    return parts[1:] if parts[:1] == ["counterfoil"] else []


def ours() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if room(m)]


def pointers() -> Iterator[tuple[type[models.Model], str, type[models.Model]]]:
    for model in ours():
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and isinstance(field.related_model, type):
                yield model, field.name, field.related_model


def test_every_app_with_tables_has_migrations() -> None:
    wanted = {m._meta.app_label for m in ours()}
    assert len(wanted) >= 8
    for config in map(apps.get_app_config, wanted):
        made = list((Path(config.path) / "migrations").glob("0*.py"))
        assert made, f"{config.name} has tables and no migration"


@pytest.mark.django_db
def test_the_migrations_make_the_tables_that_the_models_describe() -> None:
    labels = sorted({m._meta.app_label for m in ours()})
    call_command("makemigrations", *labels, "--check", "--dry-run", verbosity=0)


def test_foreign_keys_run_down_the_house_like_imports() -> None:
    found = list(pointers())
    assert len(found) > 20
    for model, field, target in found:
        source, aim = room(model), room(target)
        if not aim:
            assert source[:2] == ["core", "access"], f"{model.__name__}.{field} points out of the house"
            continue
        where = f"{'.'.join(source)}.{model.__name__}.{field} -> {'.'.join(aim)}.{target.__name__}"
        assert FLOORS[source[0]] >= FLOORS[aim[0]], f"{where} points upwards"
        if source[0] == aim[0] == "steps":
            assert source[1] == aim[1], f"{where}: steps do not know each other"
        if source[0] == aim[0] == "records":
            assert aim[1] in RECORDS[source[1]], f"{where}: not among records' agreed directions"


def test_cores_tables_carry_order_numbers_and_point_at_nothing_above() -> None:
    for model, field, target in pointers():
        if room(model)[0] == "core":
            assert room(target)[:1] in (["core"], []), f"core's {model.__name__}.{field} points at {target.__name__}"


def test_no_row_goes_because_another_one_went() -> None:
    """Nothing of the trade is deleted by a cascade."""
    for model, name, _ in pointers():
        field = model._meta.get_field(name)
        if isinstance(field, models.ForeignKey):
            assert field.remote_field.on_delete is models.PROTECT, f"{model.__name__}.{name} cascades"


def test_amounts_are_whole_minor_units() -> None:
    for model in ours():
        for field in model._meta.get_fields():
            assert not isinstance(field, models.DecimalField), f"{model.__name__}.{field.name}"
            if isinstance(field, models.FloatField):
                assert (model.__name__, field.name) == ("BusinessClock", "offset_seconds")


def test_every_table_is_in_an_app_of_the_house_and_none_came_by_surprise() -> None:
    foreign = {m._meta.app_label for m in apps.get_models()} - {m._meta.app_label for m in ours()}
    assert foreign <= {"auth", "contenttypes", "sessions"}, foreign
    assert not apps.is_installed("django.contrib.admin"), "it edits around gates and journal"


# --- append-only ----------------------------------------------------------------------------------------------------


def _journal() -> None:
    record("noted", subject="CF-1", actor=SYSTEM, text="a note", advance=False)


def _document() -> None:
    issue("invoice", subject="CF-1", content={})


def _logo() -> None:
    keep(png(64, 32))


def _movement() -> None:
    made = Product.objects.create(sku="PINOT-21", name="Pinot", price=1, currency="USD")
    Balance.objects.create(product=made)
    move([Change(made.pk, "adjusted", "count-1", on_hand=1)], actor=SYSTEM)


def _posting() -> None:
    post(
        cause="charge:1", kind="capture", subject="CF-1", text="a charge", currency="USD",
        amounts={"card_clearing": 100, "customer_deposits": -100},
    )  # fmt: skip


WRITERS: dict[str, Callable[[], None]] = {
    "core_journalevent": _journal,
    "core_document": _document,
    "core_logo": _logo,
    "stock_movement": _movement,
    "books_posting": _posting,
    "books_entry": _posting,
}


def test_every_ledger_is_among_the_protected() -> None:
    assert set(triggers.PROTECTED) == set(WRITERS)


@pytest.mark.django_db
@pytest.mark.parametrize("table", WRITERS)
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_a_ledger_takes_new_rows_and_lets_none_be_changed_or_removed(table: str, change: str) -> None:
    with writing():
        WRITERS[table]()
    count = rows(f"SELECT COUNT(*) FROM {table}")
    assert count[0][0] > 0
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(change.format(table))
    assert rows(f"SELECT COUNT(*) FROM {table}") == count


FRESH = """
import django; django.setup()
from django.core.management import call_command
from django.db import DatabaseError, connection
from counterfoil.core import journal
from counterfoil.core.actor import SYSTEM
from counterfoil.core.db import execute, rows, writing
call_command("migrate", verbosity=0)
with writing():
    journal.record("noted", subject="CF-1", actor=SYSTEM, text="a note", advance=False)
for statement in ("UPDATE core_journalevent SET text = ''", "DELETE FROM core_journalevent"):
    try:
        print("done" if execute(statement) else "nothing")
    except DatabaseError as error:
        print("append-only" in str(error))
print([rows(f"PRAGMA {name}")[0][0] for name in ("synchronous", "journal_mode", "foreign_keys")])
"""


def test_a_new_shop_is_append_only_and_has_each_act_on_the_disk_before_it_is_told(tmp_path: Path) -> None:
    """By its migrations and its own settings: the tests take a shorter way to the disk."""
    fresh = start(
        "-c", FRESH, DATABASE_URL=f"sqlite:///{tmp_path / 'shop.sqlite3'}", COUNTERFOIL_TESTING="0",
        COUNTERFOIL_VAR=str(tmp_path),
    )  # fmt: skip
    said, _ = fresh.communicate(timeout=60)
    assert said.splitlines() == ["True", "True", "[2, 'wal', 1]"], said  # 2 is FULL


@pytest.mark.django_db
def test_lifting_the_protection_is_what_makes_a_change_possible() -> None:
    """Proof that the refusals above come from the triggers."""
    with writing():
        _journal()
    try:
        triggers.run(triggers.remove())
        assert execute("UPDATE core_journalevent SET text = 'changed'") == 1
    finally:
        triggers.run(triggers.install())
    with pytest.raises(DatabaseError), transaction.atomic():
        execute("UPDATE core_journalevent SET text = 'changed again'")


# --- what the databases themselves refuse ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    ["on_hand = -1", "reserved = on_hand + 1", "reserved = -1", "picked = -1", "quarantined = -1", "due_in = -1"],
)
def test_the_database_itself_refuses_an_impossible_shelf(change: str) -> None:
    with writing():
        _movement()
    with pytest.raises(DatabaseError), transaction.atomic():
        execute(f"UPDATE stock_balance SET {change}")

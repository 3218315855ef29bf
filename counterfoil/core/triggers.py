"""Append-only is enforced by the database itself, on both of them."""

from __future__ import annotations

from django.db import connection

PROTECTED = ("core_journalevent", "core_document", "core_logo", "stock_movement", "books_posting", "books_entry")


def install(tables: tuple[str, ...] = PROTECTED) -> list[str]:
    """The statements that make these tables append-only on the present database."""
    out: list[str] = []
    if connection.vendor == "postgresql":
        out.append(
            "CREATE OR REPLACE FUNCTION counterfoil_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        for table in tables:
            out.append(f"DROP TRIGGER IF EXISTS append_only ON {table}")
            out.append(
                f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION counterfoil_append_only()"
            )
        return out
    for table in tables:
        for verb in ("UPDATE", "DELETE"):
            out.append(
                f"CREATE TRIGGER IF NOT EXISTS append_only_{table}_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    return out


def remove(tables: tuple[str, ...] = PROTECTED) -> list[str]:
    """The statements that lift the protection: for tests that empty their database, for nothing else."""
    if connection.vendor == "postgresql":
        return [f"DROP TRIGGER IF EXISTS append_only ON {table}" for table in tables]
    return [f"DROP TRIGGER IF EXISTS append_only_{table}_{verb}" for table in tables for verb in ("update", "delete")]


def installed() -> bool:
    """Whether every protected table has its triggers: one statement, for tests that take them off now and then."""
    if connection.vendor == "postgresql":
        asked, wanted = "SELECT COUNT(*) FROM pg_trigger WHERE tgname = 'append_only'", len(PROTECTED)
    else:
        asked = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'append_only_%'"
        wanted = 2 * len(PROTECTED)
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return int(cursor.fetchone()[0]) == wanted


def run(statements: list[str]) -> None:
    """Execute statements one by one."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

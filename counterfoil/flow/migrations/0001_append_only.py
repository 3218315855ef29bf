"""Journal, documents, movements and postings are append-only from the first day."""

from django.apps.registry import Apps as StateApps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from counterfoil.core import triggers

TABLES = ("core_journalevent", "core_document", "stock_movement", "books_posting", "books_entry")


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in triggers.install(TABLES):
        schema_editor.execute(statement, params=None)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in triggers.remove(TABLES):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial"), ("stock", "0001_initial"), ("books", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]

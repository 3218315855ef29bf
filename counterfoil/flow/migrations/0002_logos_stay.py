"""A logo that papers carry stays as it was drawn."""

from django.apps.registry import Apps as StateApps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from counterfoil.core import triggers

TABLES = ("core_logo",)


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in triggers.install(TABLES):
        schema_editor.execute(statement, params=None)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for statement in triggers.remove(TABLES):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("flow", "0001_append_only"), ("core", "0003_logo")]
    operations = [migrations.RunPython(install, remove)]

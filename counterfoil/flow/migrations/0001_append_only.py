"""Journal, documents, movements and postings are append-only from the first day."""

from django.db import migrations

from counterfoil.core import triggers


def install(apps, schema_editor):
    for statement in triggers.install():
        schema_editor.execute(statement, params=None)


def remove(apps, schema_editor):
    for statement in triggers.remove():
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial"), ("stock", "0001_initial"), ("books", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]

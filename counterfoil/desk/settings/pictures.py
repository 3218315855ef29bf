"""A file in a form of settings. It is drawn and kept at once, under its name: no other field's mistake loses it. The
setting changes when the page is kept.
"""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from counterfoil.core import logos
from counterfoil.desk.settings.form import Form
from counterfoil.desk.settings.kinds import Field
from counterfoil.desk.settings.sections import Section


def names_of(section: Section) -> list[str]:
    """The settings of a section that are pictures."""
    return [item.name for item in section.items() if isinstance(item, Field) and item.kind == "picture"]


def taken_up(section: Section, sent: Form, files: MultiValueDict[str, UploadedFile[Any]]) -> dict[str, str]:
    """Put into the form what was chosen (`logo.file`) or taken away (`logo.remove`); what is wrong, by field."""
    wrong = {}
    for name in names_of(section):
        gone = sent.pop(f"{name}.remove", "")
        given = files.get(f"{name}.file")
        try:
            if given is not None:
                sent[name] = str(logos.keep(_read(given))["name"])
            elif gone:
                sent[name] = ""
        except ValueError as error:
            wrong[name] = str(error)
    return wrong


def shown(section: Section, form: Form) -> dict[str, dict[str, Any]]:
    """Each picture as the form has it now, with the size at which pages show it."""
    found = {}
    for name in names_of(section):
        try:
            found[name] = logos.as_setting(form.get(name, ""))
        except ValueError:
            found[name] = {}
    return found


def _read(given: UploadedFile[Any]) -> bytes:
    size = int(given.size or 0)
    if size > logos.MOST_BYTES:
        raise ValueError(logos.too_large(size))
    return bytes(given.read())

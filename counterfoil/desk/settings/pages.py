"""The owner's pages of settings: what is set in words, a page for each section, and the log of who changed what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from counterfoil.core import shop as shops
from counterfoil.core.actor import OWNER
from counterfoil.core.cards import mask_tree
from counterfoil.core.db import rows
from counterfoil.core.errors import Invalid, Refused
from counterfoil.core.models import JournalEvent
from counterfoil.core.shop import shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.settings import form as forms
from counterfoil.desk.settings import pictures, walk
from counterfoil.desk.settings.sections import SECTIONS, Rates, Section
from counterfoil.desk.settings.words import differences, label_of, overview
from counterfoil.flow.settings import change_settings, settings_log, settings_mark
from counterfoil.steps.checkout.countries import COUNTRIES

A_PAGE = 50  # changes


@dataclass(frozen=True)
class Changed:
    """One entry of the log as people read it."""

    at: datetime
    who: str
    what: str
    parts: list[tuple[str, str]]


@staff(OWNER)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every section with what is set in it."""
    context = {
        "here": "settings",
        "sections": SECTIONS.values(),
        "now": overview(shop()),
        "at": "",
        "lacks": walk.lacks(),
        "own_mails": len(shop().mail_words),
    }
    return desk_page(request, "desk/settings/index.html", context)


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def section_page(request: HttpRequest, code: str) -> HttpResponse:
    """One section: shown, or stored as sent."""
    section = SECTIONS.get(code)
    if section is None:
        raise Http404("there is no such page of settings")
    address = f"/desk/settings/{code}"
    return section_form(
        request, section, "desk/settings/section.html", address, {"at": code}, lambda: SeeOther(address)
    )


@staff(OWNER)
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Who changed what, from what to what, newest first."""
    given = request.GET.get("before", "")
    before = int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0
    found = settings_log(before=before, limit=A_PAGE + 1)
    older = found[A_PAGE - 1].pk if len(found) > A_PAGE else None
    context = {"here": "settings", "at": "log", "changes": told(found[:A_PAGE]), "older": older, "before": before}
    return desk_page(request, "desk/settings/log.html", {**context, "sections": SECTIONS.values()})


def section_form(
    request: HttpRequest,
    section: Section,
    template: str,
    action: str,
    more: dict[str, Any],
    done: Callable[[], HttpResponse],
) -> HttpResponse:
    """Show a section's form, do what its buttons for rows ask, or store it and go where `done` says."""
    # This page must not show what another process changed a second ago as if it still stood.
    shops.forget()
    mark = settings_mark()

    def page(form: forms.Form, errors: dict[str, str] | None = None, *, status: int = 200, **also: Any) -> HttpResponse:
        form = {str(k): str(v) for k, v in mask_tree(dict(form)).items()}
        context = {
            "here": "settings",
            "sections": SECTIONS.values(),
            "section": section,
            "action": action,
            "form": form,
            "tables": forms.tables(section, form),
            "errors": errors or {},
            "mark": mark,
            "pictures": pictures.shown(section, form),
            "weekdays": forms.WEEKDAYS,
            "timezones": sorted(available_timezones()) if "timezone" in section.names() else [],
            "countries": COUNTRIES if any(hasattr(i, "columns") for i in section.items()) else {},
            "rates": Rates,
            "changes": told(settings_log(section.names(), limit=5)),
            "stale": [],
            "added": "",
            **more,
            **also,
        }
        return desk_page(request, template, context, status=status)

    if request.method != "POST":
        return page(forms.shown(section, shop(), _tax_classes(section)))
    sent = forms.tidied(section, {k: str(v) for k, v in request.POST.items() if k != "csrfmiddlewaretoken"})
    wrong = pictures.taken_up(section, sent, request.FILES)
    try:
        what = sent.pop("do", "")
        if wrong:
            return page(sent, wrong, status=422)
        if what:
            return page(forms.done_to_rows(section, sent, what), added=what)
        values = forms.read(section, sent, shop())
        changed = change_settings(actor=actor_of_page(request), seen=mark_of(sent), **values)
    except Invalid as error:
        return page(sent, dict(error.errors), status=422)
    except ValueError as error:
        return page(sent, forms.at_fields(section, sent, str(error)), status=422)
    except Refused as error:
        stale = {b.message for b in error.blockers}
        newer = settings_log(stale, limit=20)
        return page(sent, status=409, stale=told([e for e in newer if e.pk > (mark_of(sent) or 0)]))
    said = "Kept." if changed else more.get("said_of_nothing", "Nothing was different.")
    if said:
        say(request, said)
    return done()


def mark_of(form: forms.Form) -> int:
    """Where the log stood when the form was drawn; without that, everything was changed meanwhile."""
    given = form.get("seen", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 18 else 0


def _tax_classes(section: Section) -> list[str]:
    """The classes that products have: each wants its column."""
    if not any(isinstance(item, Rates) for item in section.items()):
        return []
    return [str(kind) for (kind,) in rows("SELECT DISTINCT tax_class FROM catalogue_product")][: forms.MOST_CLASSES]


def told(found: list[JournalEvent]) -> list[Changed]:
    currency = shop().currency
    found_ = []
    for event in found:
        name = str(event.data.get("setting", ""))
        parts = differences(name, event.data.get("from"), event.data.get("to"), currency)
        found_.append(Changed(event.at, event.actor, label_of(name), parts))
    return found_

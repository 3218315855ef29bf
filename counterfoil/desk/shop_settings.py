"""What the owner decides: when the card is charged, what follows a decline, and the law of promised dates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from counterfoil.core.actor import OWNER
from counterfoil.core.cards import mask_tree
from counterfoil.core.errors import Invalid
from counterfoil.core.shop import Shop, shop
from counterfoil.core.web import actor_of_page, staff
from counterfoil.desk.pages import SeeOther, desk_page, say
from counterfoil.desk.reading import Form, text_of, whole_of
from counterfoil.flow.settings import change_settings

CHECKOUT = {
    "save": ("Save the card, charge it later", "Nothing is held on it. This is how most shops work."),
    "authorise": (
        "Have the bank hold the total at once, take it later",
        "The customer sees it as pending. When the bank's time is over it is asked for again.",
    ),
}
CHARGE_ON = {
    "confirmed": ("Every line is here, or will be in a day or two", "A clerk charges; then it is picked and packed."),
    "packed": ("The box is packed", "Picked and packed first; a clerk charges, then it may leave."),
    "shipped": (
        "The box leaves",
        "The shipment charges; a card that is declined ships nothing.",
    ),
}
SUBSTITUTE = {
    "own": ("Its own price", "Dearer or cheaper than what was ordered; the customer reads the difference with tax."),
    "lower": ("The lower of both", "Nobody pays more for what we have run out of."),
    "ordered": ("What the ordered one costs", "The total stays as it was, tax of another class aside."),
}

LOTS_BY = {
    "fefo": ("The date that ends first", "Among lots without a date, the oldest."),
    "fifo": ("The oldest", "Whatever its date."),
}


@staff(OWNER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings, or store what was sent; a wrong field comes back with its message beside it."""
    if request.method != "POST":
        return _page(request, _shown(shop()))
    form = request.POST.dict()
    try:
        values = _read(form)
        changed = change_settings(actor=actor_of_page(request), **values)
    except Invalid as error:
        return _page(request, form, dict(error.errors), status=422)
    except ValueError as error:
        name, _, words = str(error).partition(": ")
        return _page(request, form, {name.partition(".")[0]: words or str(error)}, status=422)
    say(request, "Kept. Open orders are looked at again." if changed else "Nothing was different.")
    return SeeOther("/desk/settings")


def _page(request: HttpRequest, form: Form, errors: dict[str, str] | None = None, *, status: int = 200) -> HttpResponse:
    context = {
        "here": "settings",
        "form": mask_tree(dict(form)),
        "errors": errors or {},
        "checkout": CHECKOUT,
        "charge_on": CHARGE_ON,
        "substitute": SUBSTITUTE,
        "lots_by": LOTS_BY,
    }
    return desk_page(request, "desk/settings.html", context, status=status)


# --- between the form and the settings ------------------------------------------------------------------------------


def _numbers(form: Form, name: str) -> list[int]:
    words = text_of(form, name).replace(",", " ").split()
    try:
        return [int(word) for word in words]
    except ValueError:
        raise Invalid((name, "whole numbers with commas between them")) from None


def _choice(form: Form, name: str, known: dict[str, Any]) -> str:
    value = text_of(form, name)
    if value not in known:
        raise Invalid((name, f"choose one of {', '.join(known)}"))
    return value


def _rows(form: Form, name: str, columns: tuple[str, ...], read: Callable[[str, str], Any]) -> list[dict[str, Any]]:
    """A line a row, its columns with semicolons between them."""
    found = []
    for number, line in enumerate(text_of(form, name).splitlines(), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split(";", len(columns) - 1)]
        if len(cells) != len(columns):
            raise Invalid((name, f"line {number}: write {'; '.join(columns)}"))
        try:
            found.append({column: read(column, cell) for column, cell in zip(columns, cells, strict=True)})
        except ValueError:
            raise Invalid((name, f"line {number}: numbers of days and attempts are whole numbers")) from None
    return found


RULES = ("from", "country", "code", "days", "silent_days", "source")
LIMITS = ("from", "network", "attempts", "days", "source")
CLASSES = ("from", "class", "codes", "source")


def _limit_cell(column: str, cell: str) -> Any:
    return int(cell) if column in {"attempts", "days", "silent_days"} else cell


def _class_cell(column: str, cell: str) -> Any:
    return cell.replace(",", " ").split() if column == "codes" else cell


def _read(form: Form) -> dict[str, Any]:
    """Every setting of the page. Raises Invalid with each field that is wrong."""
    readers: dict[str, Callable[[], Any]] = {
        "card_at_checkout": lambda: _choice(form, "card_at_checkout", CHECKOUT),
        "charge_on": lambda: _choice(form, "charge_on", CHARGE_ON),
        "substitute_price": lambda: _choice(form, "substitute_price", SUBSTITUTE),
        "proposal_days": lambda: _at_most(form, "proposal_days", 60) or _no_time(),
        "lots_by": lambda: _choice(form, "lots_by", LOTS_BY),
        "charge_within_days": lambda: _at_most(form, "charge_within_days", 30),
        "authorisation_warning_days": lambda: _at_most(form, "authorisation_warning_days", 30),
        "cannot_ship_days": lambda: _at_most(form, "cannot_ship_days", 30),
        "grace_days": lambda: _at_most(form, "grace_days", 90),
        "retry_after_hours": lambda: _numbers(form, "retry_after_hours"),
        "reminder_days": lambda: _numbers(form, "reminder_days"),
        "reminder_hour": lambda: _at_most(form, "reminder_hour", 23),
        "notice_days": lambda: _at_most(form, "notice_days", 60),
        "promise_rules": lambda: _rows(form, "promise_rules", RULES, _limit_cell),
        "retry_limits": lambda: _rows(form, "retry_limits", LIMITS, _limit_cell),
        "decline_classes": lambda: _rows(form, "decline_classes", CLASSES, _class_cell),
    }
    values, wrong = {}, []
    for name, read in readers.items():
        try:
            values[name] = read()
        except Invalid as error:
            wrong += error.errors
    if wrong:
        raise Invalid(*wrong)
    return values


def _no_time() -> int:
    raise Invalid(("proposal_days", "at least a day"))


def _at_most(form: Form, name: str, most: int) -> int:
    value = whole_of(form, name)
    if value > most:
        raise Invalid((name, f"at most {most}"))
    return value


def _shown(settings: Shop) -> dict[str, str]:
    """The settings as the form shows them."""
    return {
        "card_at_checkout": settings.card_at_checkout,
        "charge_on": settings.charge_on,
        "substitute_price": settings.substitute_price,
        "proposal_days": str(settings.proposal_days),
        "lots_by": settings.lots_by,
        "charge_within_days": str(settings.charge_within_days),
        "authorisation_warning_days": str(settings.authorisation_warning_days),
        "cannot_ship_days": str(settings.cannot_ship_days),
        "grace_days": str(settings.grace_days),
        "notice_days": str(settings.notice_days),
        "promise_rules": "\n".join("; ".join(str(row[c]) for c in RULES) for row in settings.promise_rules),
        "retry_after_hours": ", ".join(map(str, settings.retry_after_hours)),
        "reminder_days": ", ".join(map(str, settings.reminder_days)),
        "reminder_hour": str(settings.reminder_hour),
        "retry_limits": "\n".join("; ".join(str(row[c]) for c in LIMITS) for row in settings.retry_limits),
        "decline_classes": "\n".join(
            "; ".join(" ".join(row[c]) if c == "codes" else str(row[c]) for c in CLASSES)
            for row in settings.decline_classes
        ),
    }

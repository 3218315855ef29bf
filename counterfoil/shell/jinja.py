"""The Jinja2 environment: where templates lie, what they may call. Pages and HTML mails escape, plain mails do not."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from django.apps import apps
from django.conf import settings
from django.urls import reverse

from counterfoil.core import money
from counterfoil.core.shop import shop
from counterfoil.desk.saying import ago, aloud, day, moment, near_day, say_date, units
from counterfoil.shell.assets import static_url

# A gateway is no Django app; its mails' common parts lie beside it.
BESIDE = (Path(__file__).parents[1] / "gateways" / "mail" / "templates",)


def environment(**options: Any) -> jinja2.Environment:
    """Called by Django with its own options; a name that a template misspells is an error, not an empty string."""
    folders = [Path(app.path) / "templates" for app in apps.get_app_configs()]
    options["loader"] = jinja2.FileSystemLoader([*(f for f in folders if f.is_dir()), *BESIDE])
    options["autoescape"] = escapes
    options["undefined"] = jinja2.StrictUndefined
    options["auto_reload"] = settings.DEBUG
    made = jinja2.Environment(**options)  # noqa: S701 (autoescape is the function above)
    made.globals.update(url=url, static=static_url, the_shop=shop)
    made.filters.update(
        money=money.show,
        say_date=say_date,
        ago=ago,
        moment=moment,
        day=day,
        near_day=near_day,
        units=units,
        aloud=aloud,
    )
    return made


def escapes(name: str | None) -> bool:
    """Whether a template's output is HTML: everything is, except plain mails."""
    return name is None or not name.endswith(".txt")


@lru_cache(maxsize=8192)
def url(name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a page by its name in the URL table. Remembered: a queue page asks for 150."""
    return reverse(name, args=args or None, kwargs=kwargs or None)

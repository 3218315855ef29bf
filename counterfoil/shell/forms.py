"""What every page's forms carry."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import SafeString


def forms(request: HttpRequest) -> dict[str, object]:
    """The field against forged requests, made once for all forms of a page: each time its mask is drawn anew."""
    return {"csrf_input": SimpleLazyObject(lambda: SafeString(csrf_input(request)))}

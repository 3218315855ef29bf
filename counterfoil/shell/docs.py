"""The API's page: Swagger UI out of django-ninja's own package, without any other site's files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ninja
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

_FILES = {"swagger-ui.css": "text/css; charset=utf-8", "swagger-ui-bundle.js": "text/javascript; charset=utf-8"}
_FOLDER = Path(ninja.__file__).parent / "static" / "ninja"


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The documentation of every door."""
    return render(request, "api_docs.html")


@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    """Swagger UI's two files."""
    if name not in _FILES:
        raise Http404("no such file")
    answer = HttpResponse(_read(name), content_type=_FILES[name])
    answer["Cache-Control"] = "public, max-age=86400"
    return answer


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()

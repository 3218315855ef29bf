"""Serving the files that come with Counterfoil, without another server beside it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from counterfoil.shell.assets import assets, by_address

A_YEAR = "public, max-age=31536000, immutable"


@require_safe
def static_file(request: HttpRequest, name: str) -> HttpResponse:
    """A stylesheet, script or picture: for a year under its hashed name, to be asked again under its plain one."""
    found = by_address().get(name)
    lasting = found is not None
    found = found or assets().get(name)
    if found is None:
        raise Http404(f"there is no file {name}")
    tag = f'"{found.digest}"'
    response: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        response = HttpResponseNotModified()
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(found.packed, content_type=found.media_type)
        response["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(found.plain, content_type=found.media_type)
    response["Cache-Control"] = A_YEAR if lasting else "no-cache"
    response["ETag"] = tag
    response["Vary"] = "Accept-Encoding"
    return response

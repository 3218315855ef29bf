"""Serving the files that come with Counterfoil, without another server beside it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from counterfoil.core.logos import for_screens
from counterfoil.core.web import error_page, fault, is_api, problem
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


@require_safe
def logo(request: HttpRequest, name: str) -> HttpResponse:
    """A logo of the shop's, today's or an earlier one that mails still show: its name is made of what is in it."""
    response = HttpResponse(for_screens(name), content_type="image/png")
    response["Cache-Control"] = A_YEAR
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What no address leads to."""
    if is_api(request):
        return problem(404, "there is no such thing")
    said = exception.args[0] if isinstance(exception, Http404) and exception.args else ""
    # A resolver's own words are a table of addresses, nothing for people.
    return error_page(request, 404, said if isinstance(said, str) else "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What cannot be read, or came under a name that is not ours."""
    del exception  # for the log; it tells a visitor nothing
    if is_api(request):
        return problem(400, "the request could not be read")
    return error_page(request, 400, "")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: the log knows more than the visitor."""
    code = fault(request, None)
    if is_api(request):
        return problem(500, f"an error of ours; it is in the log as {code}", reference=code)
    return error_page(request, 500, "", reference=code)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its proof of origin: an old page, or a browser that keeps no cookies."""
    del reason  # for developers; it tells a visitor nothing
    if is_api(request):
        return problem(403, "this form did not come from our own page")
    text = "This form is too old, or your browser keeps no cookies. Go back, load the page again and send it once more."
    return error_page(request, 403, text)

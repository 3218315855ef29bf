"""The shop's addresses, and an answer with nothing in it: what server and middleware cost by themselves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from counterfoil.shell.urls import handler400, handler404, handler500
from counterfoil.shell.urls import urlpatterns as of_the_shop

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]


def empty(request: HttpRequest) -> HttpResponse:
    """Nothing, through everything."""
    return HttpResponse()


urlpatterns = [path("bench/empty", empty), *of_the_shop]

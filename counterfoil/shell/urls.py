"""Every address of the product."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from counterfoil.shell import docs, health, pages
from counterfoil.shell.api import api
from counterfoil.shell.floor_worker import floor_worker
from counterfoil.shell.proxy import card_page, followed_mail, mailbox

handler400 = "counterfoil.shell.pages.bad_request"
handler404 = "counterfoil.shell.pages.not_found"
handler500 = "counterfoil.shell.pages.server_error"

urlpatterns = [
    path("healthz", health.healthz),
    path("metrics", health.metrics),
    path("api/v1/docs", docs.page),
    path("api/v1/docs/<str:name>", docs.asset),
    path("api/v1/", api.urls),
    path("", include("counterfoil.steps.checkout.urls")),
    path("", include("counterfoil.steps.charging.pages")),
    path("", include("counterfoil.desk.urls")),
    path("logo/<slug:name>.png", pages.logo, name="logo"),
    path("static/<path:name>", pages.static_file, name="static"),
    path("desk/floor/worker.js", floor_worker),
]
if settings.DEMO:
    urlpatterns += [
        path("sandbox/<path:path>", card_page),
        path("how-it-works/follow/mails/<int:event>", followed_mail, name="how-mail"),
        path("mailbox/", mailbox),
        path("mailbox/<path:path>", mailbox),
    ]

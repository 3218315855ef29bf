"""The addresses of settings, staff, the first steps, and whoever is logged in."""

from django.urls import path

from counterfoil.desk import health, setup, staff
from counterfoil.desk.settings import mails
from counterfoil.desk.settings import pages as settings

urlpatterns = [
    path("desk/settings", settings.index, name="desk-settings"),
    path("desk/settings/log", settings.log, name="desk-settings-log"),
    path("desk/settings/staff", staff.index, name="desk-staff"),
    path("desk/settings/staff/<int:user_id>", staff.person, name="desk-person"),
    path("desk/settings/mails", mails.index, name="desk-mails"),
    path("desk/settings/mails/<slug:kind>", mails.one, name="desk-mail"),
    path("desk/settings/mails/<slug:kind>/preview", mails.preview, name="desk-mail-preview"),
    path("desk/settings/keys", staff.keys, name="desk-keys"),
    path("desk/settings/keys/<int:key_id>", staff.revoke, name="desk-key-revoke"),
    path("desk/welcome/<str:token>", staff.welcome, name="desk-welcome"),
    path("desk/setup", setup.start, name="desk-setup"),
    path("desk/setup/products.csv", setup.template, name="desk-setup-template"),
    path("desk/setup/<slug:code>", setup.step, name="desk-setup-step"),
    path("desk/setup/<slug:code>/leave", setup.leave, name="desk-setup-leave"),
    path("desk/health", health.page, name="desk-health"),
    path("desk/me", staff.me, name="desk-me"),
    path("desk/settings/<slug:code>", settings.section_page, name="desk-settings-section"),
]

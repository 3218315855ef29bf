"""Django settings. Secrets and addresses come from the environment; what a shop owner decides lives in the database."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

ROOT = Path(__file__).resolve().parents[2]
VAR = Path(os.environ.get("COUNTERFOIL_VAR", ROOT / "var"))
RUN_FILE = VAR / "run.json"


def _running_shop() -> dict[str, Any]:
    """What `make run` wrote, so that a command typed beside a running shop talks to that shop."""
    try:
        found = json.loads(RUN_FILE.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


RUNNING = {} if os.environ.get("DATABASE_URL") else _running_shop()


def _env(name: str, default: str = "", *, running: str = "") -> str:
    return os.environ.get(name) or str(RUNNING.get(running, "") if running else "") or default


def _secret_key() -> str:
    """The signing key: from the environment, else made once and kept (0600) in the data folder."""
    given = os.environ.get("COUNTERFOIL_SECRET_KEY")
    if given:
        return given
    keep = VAR / "secret_key"
    try:
        return keep.read_text().strip()
    except OSError:
        VAR.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(keep, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return keep.read_text().strip()
        made = secrets.token_urlsafe(50)
        with os.fdopen(handle, "w") as out:
            out.write(made)
        return made


SECRET_KEY = _secret_key()
DEBUG = False
DEMO = _env("COUNTERFOIL_DEMO", "0", running="demo") in {"1", "true", "True"}
TESTING = _env("COUNTERFOIL_TESTING", "0") == "1"
BASE_URL = _env("COUNTERFOIL_BASE_URL", "http://127.0.0.1:8000", running="base_url").rstrip("/")
_base = urlsplit(BASE_URL)
ALLOWED_HOSTS = [h for h in _env("COUNTERFOIL_ALLOWED_HOSTS").split(",") if h] or list(
    {"127.0.0.1", "localhost", "[::1]", "testserver", _base.hostname or "localhost"}
)
if DEMO:
    # A demo is tried from other machines by whatever name they know it by; it holds invented people only.
    ALLOWED_HOSTS = ["*"]
# How many proxies of ours stand before the web server: so many addresses of X-Forwarded-For are believed, from the end.
PROXIES = int(_env("COUNTERFOIL_PROXIES", "0"))
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "counterfoil.core",
    "counterfoil.core.access",
    "counterfoil.records.catalogue",
    "counterfoil.records.customers",
    "counterfoil.records.orders",
    "counterfoil.records.stock",
    "counterfoil.records.books",
    "counterfoil.gateways.card.terminal",
    "counterfoil.steps.checkout",
    "counterfoil.steps.review",
    "counterfoil.steps.acceptance",
    "counterfoil.steps.sourcing",
    "counterfoil.steps.charging",
    "counterfoil.steps.fulfilment",
    "counterfoil.steps.invoicing",
    "counterfoil.steps.alternatives",
    "counterfoil.flow",
    "counterfoil.desk",
    "counterfoil.shell",
]
AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if TESTING:
    # A test logs in hundreds of times; what it costs a thief is not what it tests.
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/desk/login"
CSRF_FAILURE_VIEW = "counterfoil.shell.pages.forged"

MIDDLEWARE = [
    "counterfoil.core.web.SecurityHeaders",
    "django.middleware.common.CommonMiddleware",
    "counterfoil.core.web.ProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "counterfoil.core.idempotency.IdempotencyMiddleware",
]
ROOT_URLCONF = "counterfoil.shell.urls"
WSGI_APPLICATION = "counterfoil.shell.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": False,
        "DIRS": [],
        "OPTIONS": {
            "environment": "counterfoil.shell.jinja.environment",
            "context_processors": ["counterfoil.shell.forms.forms"],
        },
    }
]

DATABASE_URL = _env("DATABASE_URL", f"sqlite:///{VAR / 'counterfoil.sqlite3'}", running="database_url")


def _database(url: str) -> dict[str, Any]:
    found: dict[str, Any] = dict(dj_database_url.parse(url))
    if found["ENGINE"].endswith("sqlite3"):
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: NORMAL can lose a committed charge intent at a power cut after the processor has acted.
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA busy_timeout=20000;"
            "PRAGMA foreign_keys=ON",
        }
        # Opening it anew for every request costs as much as the request, and the last one to close it folds up the log.
        found["CONN_MAX_AGE"] = 60
        # A file, because threads on an in-memory database hear "table is locked".
        found["TEST"] = {"NAME": str(VAR / "test" / f"test-{os.getpid()}.sqlite3")}
        if TESTING:
            found["OPTIONS"]["init_command"] = found["OPTIONS"]["init_command"].replace("FULL", "OFF")
    else:
        found.setdefault("OPTIONS", {}).update({"server_side_binding": True, "prepare_threshold": 1})
        found["CONN_MAX_AGE"] = 60
        found["CONN_HEALTH_CHECKS"] = True
    return found


DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Signed cookies: a hot door does not read a session row.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _base.scheme == "https"
SESSION_COOKIE_NAME = "counterfoil"
CSRF_COOKIE_NAME = "counterfoil_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
# A carrier's file of 300 rows is mended in a form with five fields a row; a count has a field for each place.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

STATIC_URL = "/static/"
STATICFILES_DIRS: list[str] = []

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STRIPE_API_KEY = _env("STRIPE_API_KEY", running="stripe_api_key")
STRIPE_API_BASE = _env("STRIPE_API_BASE", running="stripe_api_base")
STRIPE_WEBHOOK_SECRET = _env("STRIPE_WEBHOOK_SECRET", running="stripe_webhook_secret")
# Seconds that one call to the card processor may take; what was not heard by then is asked for.
CARD_READ_SECONDS = float(_env("COUNTERFOIL_CARD_READ_SECONDS", "8"))
# Whatever jobs wait for (their turn, their next try, the lease of a worker that died) takes this many times as long.
# 1 in a shop; less where years of trouble are lived through in minutes.
JOB_PACE = float(_env("COUNTERFOIL_JOB_PACE", "1"))
# The hosted card page's origin: a form's redirect may lead there. The sandbox answers through our own.
CARD_PAGE_ORIGIN = "" if STRIPE_API_BASE else "https://checkout.stripe.com"
# What a monitor bears that may read /metrics; whoever asks may where there is none.
METRICS_TOKEN = _env("COUNTERFOIL_METRICS_TOKEN")
# Where the nightly backup is put: the health page says how old the newest is.
BACKUPS = _env("COUNTERFOIL_BACKUPS")
EMAIL_URL = _env("EMAIL_URL", running="email_url")
SANDBOX_URL = _env("COUNTERFOIL_SANDBOX_URL", running="sandbox_url")
MAILBOX_URL = _env("COUNTERFOIL_MAILBOX_URL", running="mailbox_url")

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "counterfoil.core.text.MaskedLines",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("COUNTERFOIL_LOG", "WARNING")},
}

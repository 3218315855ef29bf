"""The shop's own settings with one more address: see `bench/urls.py`."""

from counterfoil.shell.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"

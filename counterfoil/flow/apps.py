from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class FlowConfig(AppConfig):
    name = "counterfoil.flow"
    label = "flow"

    def ready(self) -> None:
        """Job handlers register by being imported: each room's `jobs.py`, known to core by name only."""
        autodiscover_modules("jobs")
        import_module("counterfoil.gateways.mail.jobs")

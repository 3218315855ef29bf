from django.apps import AppConfig


class AcceptanceConfig(AppConfig):
    name = "counterfoil.steps.acceptance"
    label = "acceptance"

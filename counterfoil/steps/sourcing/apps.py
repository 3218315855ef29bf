from django.apps import AppConfig


class SourcingConfig(AppConfig):
    name = "counterfoil.steps.sourcing"
    label = "sourcing"

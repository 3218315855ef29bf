from django.apps import AppConfig


class ChargingConfig(AppConfig):
    name = "counterfoil.steps.charging"
    label = "charging"

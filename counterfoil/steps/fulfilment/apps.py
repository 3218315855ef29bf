from django.apps import AppConfig


class FulfilmentConfig(AppConfig):
    name = "counterfoil.steps.fulfilment"
    label = "fulfilment"

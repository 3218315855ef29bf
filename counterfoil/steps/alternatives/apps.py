from django.apps import AppConfig


class AlternativesConfig(AppConfig):
    name = "counterfoil.steps.alternatives"
    label = "alternatives"

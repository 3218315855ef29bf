from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "counterfoil.core"
    label = "core"

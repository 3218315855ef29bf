from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "counterfoil.core.access"
    label = "access"

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "counterfoil.desk"
    label = "desk"

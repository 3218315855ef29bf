from django.apps import AppConfig


class ShellConfig(AppConfig):
    name = "counterfoil.shell"
    label = "shell"

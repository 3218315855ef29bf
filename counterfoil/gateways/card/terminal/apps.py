from django.apps import AppConfig


class TerminalConfig(AppConfig):
    name = "counterfoil.gateways.card.terminal"
    label = "terminal"

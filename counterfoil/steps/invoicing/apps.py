from django.apps import AppConfig


class InvoicingConfig(AppConfig):
    name = "counterfoil.steps.invoicing"
    label = "invoicing"

from django.apps import AppConfig


class CheckoutConfig(AppConfig):
    name = "counterfoil.steps.checkout"
    label = "checkout"

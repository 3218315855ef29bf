from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "counterfoil.records.customers"
    label = "customers"

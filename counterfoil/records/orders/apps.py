from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "counterfoil.records.orders"
    label = "orders"

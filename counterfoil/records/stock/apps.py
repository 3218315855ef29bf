from django.apps import AppConfig


class StockConfig(AppConfig):
    name = "counterfoil.records.stock"
    label = "stock"

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "counterfoil.records.catalogue"
    label = "catalogue"

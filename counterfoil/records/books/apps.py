from django.apps import AppConfig


class BooksConfig(AppConfig):
    name = "counterfoil.records.books"
    label = "books"

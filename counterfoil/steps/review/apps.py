from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "counterfoil.steps.review"
    label = "review"

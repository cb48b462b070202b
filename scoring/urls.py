"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from scoring.views import models, rules

urlpatterns: list[URLPattern | URLResolver] = [
    # models: versions, their training runs, and the two persons of a promotion
    path("models/", models.models, name="models"),
    path("models/train/", models.train, name="model-train"),
    path("models/rollback/", models.roll_back, name="model-rollback"),
    path("models/runs/<int:pk>/", models.run, name="run"),
    path("models/<int:number>/", models.model, name="model"),
    path("models/<int:number>/ask/", models.ask, name="model-ask"),
    path("models/<int:number>/approve/", models.approve, name="model-approve"),
    path("models/<int:number>/refuse/", models.refuse, name="model-refuse"),
    # rules
    path("rules/", rules.rules, name="rules"),
]

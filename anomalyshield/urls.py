"""The map of the site: each room's pages and endpoints live in its own urls.py."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("anomalyshield.accounts.urls")),
    path("", include("scoring.urls")),
    path("", include("alerts.urls")),
    path("", include("cases.urls")),
]

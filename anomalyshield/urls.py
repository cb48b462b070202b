"""The map of the site: each room's pages and endpoints live in its own urls.py."""

from django.urls import URLPattern, URLResolver, include, path

from anomalyshield import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("scoring.urls")),  # first: payments wait for /detect
    path("", views.home, name="home"),
    path("system/", views.system, name="system"),
    path("health", views.alive, name="health"),
    path("health/ready", views.ready, name="health-ready"),
    path("health/deep", views.deep, name="health-deep"),
    path("jump", views.jump, name="jump"),
    path("permissions/", views.permissions, name="permissions"),
    path("metrics", views.metrics, name="metrics"),
    path("api/schema/", views.schema, name="schema"),
    path("docs", views.docs, name="docs"),
    path("redoc", views.redoc, name="redoc"),
    path("", include("anomalyshield.accounts.urls")),
    path("", include("alerts.urls")),
    path("", include("cases.urls")),
]
handler400 = "anomalyshield.views.bad_request"
handler403 = "anomalyshield.views.forbidden"
handler404 = "anomalyshield.views.not_found"
handler500 = "anomalyshield.views.server_error"

"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from alerts.views import alert, queue

urlpatterns: list[URLPattern | URLResolver] = [
    # the queue
    path("alerts/", queue.alerts, name="alerts"),
    # one alert; `alert-escalate` is in the room of cases, which looks back at this one
    path("alerts/<int:pk>/", alert.alert, name="alert"),
    path("alerts/<int:pk>/claim/", alert.claim, name="alert-claim"),
    path("alerts/<int:pk>/decide/", alert.decide, name="alert-decide"),
    path("alerts/<int:pk>/undo/", alert.undo, name="alert-undo"),
    path("alerts/<int:pk>/note/", alert.note, name="alert-note"),
]

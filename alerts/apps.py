"""The alerts room."""

from django.apps import AppConfig


class Alerts(AppConfig):
    name = "alerts"

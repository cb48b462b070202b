"""Audit: who did what, chained."""

from django.apps import AppConfig


class Audit(AppConfig):
    name = "anomalyshield.audit"
    label = "audit"

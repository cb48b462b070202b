"""Accounts: users, roles, keys."""

from django.apps import AppConfig


class Accounts(AppConfig):
    name = "anomalyshield.accounts"
    label = "accounts"

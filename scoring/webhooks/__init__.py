"""Telling upstream systems what happened, by Standard Webhooks 1.0."""

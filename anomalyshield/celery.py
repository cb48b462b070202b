"""The Celery application: bells to worker processes that claim their work from the database."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "anomalyshield.settings")

app = Celery("anomalyshield")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_default_queue = "detect"
app.autodiscover_tasks(["scoring"])

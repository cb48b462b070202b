"""What needs a person: queues, the routes into them, and the alerts in them."""

from alerts.models.queues import Queue, QueueQuerySet

from alerts.models.routes import Route, Routing  # isort: skip
from alerts.models.alerts import Alert, AlertQuerySet  # isort: skip
from alerts.models.hits import AlertHit, Look, Profile  # isort: skip
from alerts.models.verdicts import Consequence, Note, Verdict

__all__ = [
    "Alert",
    "AlertHit",
    "AlertQuerySet",
    "Consequence",
    "Look",
    "Note",
    "Profile",
    "Queue",
    "QueueQuerySet",
    "Route",
    "Routing",
    "Verdict",
]

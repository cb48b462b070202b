"""What needs a person: queues, the routes into them, and the alerts in them."""

from alerts.models.queues import Queue, QueueQuerySet

from alerts.models.routes import Route, Routing  # isort: skip
from alerts.models.alert_questions import AlertQuerySet  # isort: skip
from alerts.models.alerts import Alert  # isort: skip
from alerts.models.hits import AlertHit, Look, Profile  # isort: skip
from alerts.models.verdicts import Consequence, Note, Verdict

from alerts.models.leases import AlertLease, AlertLeaseQuerySet  # isort: skip
from alerts.models.views import SavedView, SavedViewQuerySet  # isort: skip
from alerts.models.bulk import Bulk, BulkItem  # isort: skip
from alerts.models.corrections import Correction, CorrectionQuerySet  # isort: skip
from alerts.models.ranking import Reranking  # isort: skip
from alerts.models.reports import (  # isort: skip
    ReportLetter,
    ScheduledReport,
    ScheduledReportQuerySet,
)
from alerts.models.reviews import Review, ReviewPolicy, ReviewQuerySet  # isort: skip
from alerts.models.samples import Sample, SampleDraw, SampleQuerySet  # isort: skip
from alerts.models.feedback import Feedback, FeedbackQuerySet  # isort: skip
from alerts.models.pinned import EntityNote, EntityNoteQuerySet  # isort: skip
from alerts.models.snoozes import Snooze, SnoozeQuerySet  # isort: skip
from alerts.models.suppressions import (  # isort: skip
    SuppressedHit,
    Suppression,
    SuppressionQuerySet,
)
from alerts.models.regroupings import Regrouping  # isort: skip
from alerts.models.playbooks import Playbook  # isort: skip

__all__ = [
    "Alert",
    "AlertHit",
    "AlertLease",
    "AlertLeaseQuerySet",
    "AlertQuerySet",
    "Bulk",
    "BulkItem",
    "Consequence",
    "Correction",
    "CorrectionQuerySet",
    "EntityNote",
    "EntityNoteQuerySet",
    "Feedback",
    "FeedbackQuerySet",
    "Look",
    "Note",
    "Playbook",
    "Profile",
    "Queue",
    "QueueQuerySet",
    "Regrouping",
    "ReportLetter",
    "Reranking",
    "Review",
    "ReviewPolicy",
    "ReviewQuerySet",
    "Route",
    "Routing",
    "Sample",
    "SampleDraw",
    "SampleQuerySet",
    "SavedView",
    "SavedViewQuerySet",
    "ScheduledReport",
    "ScheduledReportQuerySet",
    "Snooze",
    "SnoozeQuerySet",
    "SuppressedHit",
    "Suppression",
    "SuppressionQuerySet",
    "Verdict",
]

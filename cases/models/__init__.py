"""Investigations: cases, what is in them, and the people who open, close and reopen them."""

from cases.models.case import Case, CaseQuerySet

from cases.models.access import CaseAccess  # isort: skip
from cases.models.clocks import BusinessCalendar, Clock, ClockPause  # isort: skip
from cases.models.evidence import Evidence, EvidenceContent  # isort: skip
from cases.models.reopening import Reopening  # isort: skip
from cases.models.reports import Report, ReportVersion  # isort: skip
from cases.models.tasks import CaseTask  # isort: skip
from cases.models.terms import QueueTerms  # isort: skip
from cases.models.timeline import CaseEvent  # isort: skip

__all__ = [
    "BusinessCalendar",
    "Case",
    "CaseAccess",
    "CaseEvent",
    "CaseQuerySet",
    "CaseTask",
    "Clock",
    "ClockPause",
    "Evidence",
    "EvidenceContent",
    "QueueTerms",
    "Reopening",
    "Report",
    "ReportVersion",
]

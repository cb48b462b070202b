"""Which step takes a report from which state to which, and what it has to be told."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from cases.models import Report

S = Report.State


@dataclass(frozen=True)
class Step:
    """One row of the table: from which states a step leads where, and what it needs to be told."""

    sources: tuple[Report.State, ...]
    target: Report.State
    words: str  # for the timeline
    needs: tuple[str, ...] = ()  # of seen, reason, on, reference
    second: bool = False  # never whoever asked for the agreement


STEPS: dict[str, Step] = {
    "consider": Step((S.NOT_STARTED,), S.DECISION_PENDING, "is to be decided"),
    "prepare": Step((S.DECISION_PENDING,), S.DRAFT, "is prepared"),
    "confirm": Step((S.DECISION_PENDING,), S.NO_FILE, "is not made", ("seen",), second=True),
    "doubt": Step((S.DECISION_PENDING,), S.DECISION_PENDING, "is still to be decided", ("reason",)),
    "reconsider": Step((S.NO_FILE,), S.DECISION_PENDING, "is to be decided again", ("reason",)),
    "submit": Step((S.DRAFT, S.AMENDED), S.IN_REVIEW, "went into review"),
    "approve": Step((S.IN_REVIEW,), S.APPROVED, "was approved", ("seen",), second=True),
    "return": Step((S.IN_REVIEW, S.APPROVED), S.DRAFT, "was returned", ("reason",)),
    "file": Step((S.APPROVED,), S.FILED, "was filed", ("on",)),
    "acknowledge": Step((S.FILED,), S.ACKNOWLEDGED, "was acknowledged", ("reference",)),
    "reject": Step((S.FILED,), S.REJECTED, "was rejected", ("reason",)),
    "amend": Step(
        (S.FILED, S.ACKNOWLEDGED, S.REJECTED), S.AMENDED, "is being amended", ("reason",)
    ),
    "continue": Step((S.FILED, S.ACKNOWLEDGED), S.CONTINUING, "goes on: another one is due"),
}
TITLES = {
    "consider": _("Decide whether to report"),
    "prepare": _("Prepare a report"),
    "confirm": _("Agree not to file"),
    "doubt": _("Do not agree"),
    "reconsider": _("Decide again"),
    "submit": _("Submit for review"),
    "approve": _("Approve the report"),
    "return": _("Return it"),
    "file": _("It was filed"),
    "acknowledge": _("It was acknowledged"),
    "reject": _("It was rejected"),
    "amend": _("Amend it"),
    "continue": _("The activity goes on"),
}

"""What may be asked of the queue, and what may be said about an alert."""

from collections.abc import Iterable
from typing import Any

from django import forms

from alerts.models import Alert, Queue
from scoring.engine.decision import Level

STATUSES = [
    ("", "Open"),
    ("unassigned", "Unassigned"),
    ("overdue", "Past SLA"),
    ("escalated", "Escalated"),
    ("closed", "Decided"),
    ("all", "All"),
]
RULES = ["HIGH_AMOUNT", "VELOCITY_MULTI_CITY", "UNUSUAL_HOUR", "HIGH_RISK_MCC"]
NOTE_LENGTH = 4000


class QueueFilter(forms.Form):
    """The address of the queue page says everything about what is shown on it."""

    status = forms.ChoiceField(choices=STATUSES, required=False)
    level = forms.ChoiceField(
        choices=[("", "All levels"), *[(level, level.title()) for level in reversed(Level)]],
        required=False,
    )
    queue = forms.ChoiceField(required=False)
    reason = forms.RegexField(
        r"^[A-Z0-9_]{1,32}$",
        required=False,
        widget=forms.Select,
        error_messages={"invalid": "A reason is a code like HIGH_AMOUNT."},
    )
    user = forms.CharField(max_length=128, required=False, label="Entity")
    mine = forms.BooleanField(required=False, label="Mine")
    after = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, queues: Iterable[Queue], hidden: bool) -> None:
        super().__init__(data)
        self.fields["queue"].choices = [("", "All queues"), *[(q.slug, q.name) for q in queues]]
        codes = dict.fromkeys([*RULES, *filter(None, [self.data.get("reason", "")])])
        words = [(code, code.replace("_", " ").capitalize()) for code in codes]
        self.fields["reason"].widget.choices = [("", "All reasons"), *words]
        if hidden:
            # Asking for a masked value and seeing rows would confirm it.
            del self.fields["user"]

    @property
    def asked(self) -> dict[str, Any]:
        """The valid answers; what is not valid narrows nothing and is shown as an error."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class DecisionForm(forms.Form):
    """One of four dispositions, with a typology when it was fraud."""

    disposition = forms.ChoiceField(
        choices=Alert.Disposition.choices,
        error_messages={
            "required": "Choose what it was: fraud, legitimate, explained or inconclusive.",
            "invalid_choice": "“%(value)s” is not a disposition.",
        },
    )
    typology = forms.ChoiceField(
        choices=[("", "Typology, if fraud"), *Alert.Typology.choices],
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not a typology."},
    )
    note = forms.CharField(max_length=NOTE_LENGTH, required=False)


class NoteForm(forms.Form):
    """Something to remember about it."""

    note = forms.CharField(
        max_length=NOTE_LENGTH, error_messages={"required": "Write the note first."}
    )

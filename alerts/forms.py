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
    user = forms.CharField(
        max_length=128,
        required=False,
        label="Entity",
        widget=forms.SearchInput(attrs={"placeholder": "Entity, its whole id", "data-key": "s"}),
    )
    mine = forms.BooleanField(required=False, label="Mine")
    after = forms.CharField(max_length=120, required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, queues: Iterable[Queue], hidden: bool) -> None:
        super().__init__(data)
        named = [(queue.slug, queue.name) for queue in queues]
        self.fields["queue"].choices = [("", "All queues"), *named]
        if len(named) < 2:
            self.fields["queue"].widget = forms.HiddenInput()
        self.fields["reason"].widget.choices = [("", "All reasons"), *self._reasons()]
        if hidden:
            # Asking for a masked value and seeing rows would confirm it.
            del self.fields["user"]

    def _reasons(self) -> list[tuple[str, str]]:
        from scoring.engine.rules import RULES  # compiles with the engine: only when a page asks

        codes = dict.fromkeys([*(rule.code for rule in RULES), self.data.get("reason", "")])
        return [(code, code.replace("_", " ").capitalize()) for code in codes if code]

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

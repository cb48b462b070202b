"""What is said about a case."""

from typing import Any

from django import forms

from alerts.forms import NOTE_LENGTH
from cases.evidence import MOST_BYTES
from cases.models import Case

LENGTH = 8000


class EscalationForm(forms.Form):
    """Why it is investigated, if there is something to say."""

    note = forms.CharField(max_length=NOTE_LENGTH, required=False)


class TextForm(forms.Form):
    """A note for the timeline."""

    text = forms.CharField(max_length=LENGTH, error_messages={"required": "Write the note first."})


class EvidenceForm(forms.Form):
    """A file, and what it shows."""

    file = forms.FileField(
        max_length=1000,
        allow_empty_file=True,  # the verb says it in its own words
        error_messages={"required": "Choose a file first.", "invalid": "Choose a file first."},
    )
    evidence_note = forms.CharField(max_length=500, required=False)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:  # before it is read into memory
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1024**2} MB.")
        return file


class ProposalForm(forms.Form):
    """How it ends, and why."""

    outcome = forms.ChoiceField(
        choices=Case.Outcome.choices,
        error_messages={
            "required": "Choose how it ends.",
            "invalid_choice": "“%(value)s” is not an outcome.",
        },
    )
    findings = forms.CharField(
        max_length=LENGTH, error_messages={"required": "Say what was found."}
    )


class ReturnForm(forms.Form):
    """What is missing."""

    reason = forms.CharField(max_length=LENGTH, error_messages={"required": "Say what is missing."})

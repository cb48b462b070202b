"""What is said about a case."""

from typing import Any

from django import forms

from alerts import staffing
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


class NothingForm(forms.Form):
    """A button that says everything."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(max_length=LENGTH, error_messages={"required": "Say why."})


class ResumeForm(forms.Form):
    """What has come, if there is something to say."""

    why = forms.CharField(max_length=LENGTH, required=False)


class SuspensionForm(forms.Form):
    """Whom it waits for, why, and until when somebody looks again."""

    waits_for = forms.ChoiceField(
        choices=Case.Waiting.choices,
        error_messages={
            "required": "Choose what it waits for.",
            "invalid_choice": "“%(value)s” is nothing a case waits for.",
        },
    )
    reason = forms.CharField(
        max_length=LENGTH, error_messages={"required": "Say what it waits for, and why."}
    )
    until = forms.DateTimeField(
        required=False, error_messages={"invalid": "Say the day as 2026-11-30, or leave it empty."}
    )


class HandOverForm(forms.Form):
    """To whom, and why."""

    to = forms.ModelChoiceField(
        staffing.analysts(),
        to_field_name="username",
        error_messages={
            "required": "Choose who takes it over.",
            "invalid_choice": "No analyst is called that.",
        },
    )
    reason = forms.CharField(max_length=LENGTH, required=False)


class TermsForm(forms.Form):
    """How the cases of a queue are handled."""

    creation_approval = forms.BooleanField(
        required=False,
        label="A second person approves that a case is opened",
        help_text="Holds for cases opened from now on with an alert of this queue",
    )

"""What is said about a case."""

from django import forms

from alerts.forms import NOTE_LENGTH
from cases.models import Case

LENGTH = 8000


class EscalationForm(forms.Form):
    """Why it is investigated, if there is something to say."""

    note = forms.CharField(max_length=NOTE_LENGTH, required=False)


class TextForm(forms.Form):
    """A note for the timeline."""

    text = forms.CharField(max_length=LENGTH, error_messages={"required": "Write the note first."})


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

"""What is said about a case."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import staffing
from alerts.forms import NOTE_LENGTH
from alerts.models import Alert
from anomalyshield.accounts.models import User
from anomalyshield.context import zone
from cases.evidence import MOST_BYTES
from cases.models import Case

LENGTH = 8000


class EscalationForm(forms.Form):
    """Why it is investigated, if there is something to say."""

    note = forms.CharField(max_length=NOTE_LENGTH, required=False, label=_lazy("Note"))


class AlertForm(forms.Form):
    """One of the alerts this person sees."""

    alert = forms.ModelChoiceField(
        Alert.objects.none(),
        error_messages={
            "required": _lazy("Choose an alert."),
            "invalid_choice": _lazy("There is no such alert."),
        },
        label=_lazy("Alert"),
    )


class TextForm(forms.Form):
    """A note for the timeline."""

    text = forms.CharField(
        max_length=LENGTH,
        error_messages={"required": _lazy("Write the note first.")},
        label=_lazy("Text"),
    )


class EvidenceForm(forms.Form):
    """A file, and what it shows."""

    file = forms.FileField(
        max_length=1000,
        allow_empty_file=True,  # the verb says it in its own words
        error_messages={
            "required": _lazy("Choose a file first."),
            "invalid": _lazy("Choose a file first."),
        },
        label=_lazy("File"),
    )
    evidence_note = forms.CharField(max_length=500, required=False, label=_lazy("Evidence note"))

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:  # before it is read into memory
            raise forms.ValidationError(
                _("The file is larger than {most_bytes} MB.").format(
                    most_bytes=MOST_BYTES // 1024**2
                )
            )
        return file


class ProposalForm(forms.Form):
    """How it ends, and why."""

    outcome = forms.ChoiceField(
        choices=Case.Outcome.choices,
        error_messages={
            "required": _lazy("Choose how it ends."),
            "invalid_choice": _lazy("“%(value)s” is not an outcome."),
        },
        label=_lazy("Outcome"),
    )
    findings = forms.CharField(
        max_length=LENGTH,
        error_messages={"required": _lazy("Say what was found.")},
        label=_lazy("Findings"),
    )
    left_open = forms.CharField(max_length=LENGTH, required=False, label=_lazy("Left open"))


class ReturnForm(forms.Form):
    """What is missing."""

    reason = forms.CharField(
        max_length=LENGTH,
        error_messages={"required": _lazy("Say what is missing.")},
        label=_lazy("Reason"),
    )


class NothingForm(forms.Form):
    """A button that says everything."""


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        max_length=LENGTH, error_messages={"required": _lazy("Say why.")}, label=_lazy("Reason")
    )


class ResumeForm(forms.Form):
    """What has come, if there is something to say."""

    why = forms.CharField(max_length=LENGTH, required=False, label=_lazy("Why"))


class Day(forms.DateField):
    """A day of the reader's own zone, as the moment at which it begins or ends."""

    def __init__(self, *, end: bool, **more: Any) -> None:
        super().__init__(
            required=False,
            error_messages={"invalid": _lazy("Say the day as 2026-11-30, or leave it empty.")},
            **more,
        )
        self.end = end

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        if day is None:
            return None
        try:
            return datetime.combine(day + timedelta(days=self.end), time(0), ZoneInfo(zone()))
        except OverflowError:
            raise forms.ValidationError(_lazy("Say a day of this century.")) from None


class SuspensionForm(forms.Form):
    """Whom it waits for, why, and until when somebody looks again."""

    waits_for = forms.ChoiceField(
        choices=Case.Waiting.choices,
        error_messages={
            "required": _lazy("Choose what it waits for."),
            "invalid_choice": _lazy("“%(value)s” is nothing a case waits for."),
        },
        label=_lazy("Waits for"),
    )
    reason = forms.CharField(
        max_length=LENGTH,
        error_messages={"required": _lazy("Say what it waits for, and why.")},
        label=_lazy("Reason"),
    )
    until = Day(end=False)


class HandOverForm(forms.Form):
    """To whom, and why."""

    to = forms.ModelChoiceField(
        staffing.analysts(),
        to_field_name="username",
        error_messages={
            "required": _lazy("Choose who takes it over."),
            "invalid_choice": _lazy("No analyst is called that."),
        },
        label=_lazy("To"),
    )
    reason = forms.CharField(max_length=LENGTH, required=False, label=_lazy("Reason"))


class TaskForm(forms.Form):
    """What is to be done, by whom and until when."""

    title = forms.CharField(
        max_length=300,
        error_messages={"required": _lazy("Say what is to be done.")},
        label=_lazy("Title"),
    )
    detail = forms.CharField(max_length=LENGTH, required=False, label=_lazy("Detail"))
    owner = forms.ModelChoiceField(
        staffing.analysts(),
        to_field_name="username",
        required=False,
        error_messages={"invalid_choice": _lazy("No analyst is called that.")},
        label=_lazy("Owner"),
    )
    due_at = Day(end=True)
    required = forms.BooleanField(required=False, label=_lazy("Required"))


class TickForm(forms.Form):
    """Done, or not."""

    done = forms.BooleanField(required=False, label=_lazy("Done"))


class MoveForm(forms.Form):
    """One place up, or down."""

    up = forms.BooleanField(required=False, label=_lazy("Up"))


class DeterminationForm(forms.Form):
    """The day on which facts were found that may ask for a report."""

    on = forms.DateField(
        error_messages={
            "required": _lazy("Say the day of the determination."),
            "invalid": _lazy("Say the day as 2026-11-30."),
        },
        label=_lazy("On"),
    )
    subject_known = forms.BooleanField(required=False, label=_lazy("Subject known"))
    reason = forms.CharField(max_length=LENGTH, required=False, label=_lazy("Reason"))


class RestrictionForm(forms.Form):
    """Who knows of it from now on, and why."""

    people = forms.ModelMultipleChoiceField(
        User.objects.filter(is_active=True),
        to_field_name="username",
        required=False,
        error_messages={"invalid_choice": _lazy("Nobody is called %(value)s.")},
        label=_lazy("People"),
    )
    reason = forms.CharField(
        max_length=LENGTH, error_messages={"required": _lazy("Say why.")}, label=_lazy("Reason")
    )

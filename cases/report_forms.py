"""What is typed about a report: its sections, and what a step has to be told."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.forms import LENGTH, DeterminationForm
from cases.models import Report
from cases.report_steps import STEPS
from cases.sections import SECTIONS, Content, Field

KNOWN = [("", _("Not said yet")), ("yes", _("Yes")), ("no", _("No"))]


class ContentForm(forms.Form):
    """The five sections, box by box. What is half done is kept as it is."""

    def __init__(self, *args: Any, content: Content | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        for section in SECTIONS:
            for field in section.fields:
                name = f"{section.name}-{field.name}"
                self.fields[name] = _box(field)
                if content is not None:
                    self.initial[name] = content.get(section.name, {}).get(field.name, "")

    @property
    def content(self) -> dict[str, dict[str, str]]:
        """For the verb."""
        return {
            section.name: {
                field.name: self.cleaned_data[f"{section.name}-{field.name}"]
                for field in section.fields
            }
            for section in SECTIONS
        }


class BeginForm(DeterminationForm):
    """The day of the determination, and whether it is known whom it is about."""


class DeclineForm(forms.Form):
    """Why nothing is reported."""

    no_file = forms.ChoiceField(
        choices=Report.NoFile.choices,
        error_messages={
            "required": _("Choose why nothing is reported."),
            "invalid_choice": _("“%(value)s” is no reason."),
        },
        label=_("No file"),
    )
    reason = forms.CharField(
        max_length=LENGTH,
        error_messages={"required": _("Say why nothing is reported.")},
        label=_("Reason"),
    )


class StepForm(forms.Form):
    """A step, and what it has to be told."""

    step = forms.ChoiceField(
        choices=[(name, name) for name in STEPS],
        error_messages={
            "required": _("Choose a step."),
            "invalid_choice": _("“%(value)s” is no step."),
        },
        label=_("Step"),
    )
    seen = forms.CharField(max_length=64, required=False, label=_("Seen"))
    reason = forms.CharField(max_length=LENGTH, required=False, label=_("Reason"))
    on = forms.DateField(
        required=False, error_messages={"invalid": _("Say the day as 2026-11-30.")}, label=_("On")
    )
    reference = forms.CharField(max_length=120, required=False, label=_("Reference"))


def _box(field: Field) -> forms.Field:
    common: dict[str, Any] = {
        "required": False,
        "label": field.title,
        "help_text": field.help,
    }
    if field.kind == "known":
        return forms.ChoiceField(choices=KNOWN, **common)
    widget: forms.Widget = forms.TextInput()
    if field.kind == "long":
        widget = forms.Textarea(attrs={"rows": 18 if field.name == "text" else 2})
    elif field.kind == "day":
        widget = forms.TextInput(attrs={"placeholder": "2026-11-30", "inputmode": "numeric"})
    return forms.CharField(max_length=field.most, widget=widget, **common)

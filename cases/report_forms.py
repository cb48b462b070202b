"""What is typed about a report: its sections, and what a step has to be told."""

from typing import Any

from django import forms

from cases.forms import LENGTH, DeterminationForm
from cases.models import Report
from cases.report_steps import STEPS
from cases.sections import SECTIONS, Content, Field

KNOWN = [("", "Not said yet"), ("yes", "Yes"), ("no", "No")]


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
            "required": "Choose why nothing is reported.",
            "invalid_choice": "“%(value)s” is no reason.",
        },
    )
    reason = forms.CharField(
        max_length=LENGTH, error_messages={"required": "Say why nothing is reported."}
    )


class StepForm(forms.Form):
    """A step, and what it has to be told."""

    step = forms.ChoiceField(
        choices=[(name, name) for name in STEPS],
        error_messages={
            "required": "Choose a step.",
            "invalid_choice": "“%(value)s” is no step.",
        },
    )
    seen = forms.CharField(max_length=64, required=False)
    reason = forms.CharField(max_length=LENGTH, required=False)
    on = forms.DateField(required=False, error_messages={"invalid": "Say the day as 2026-11-30."})
    reference = forms.CharField(max_length=120, required=False)


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

"""What is typed of second looks: the reviewer's answer, and which share of verdicts is drawn."""

from decimal import Decimal
from typing import Any

from django import forms

from alerts.forms import NOTE_LENGTH, DecisionForm
from alerts.models import ReviewPolicy


class AnswerForm(DecisionForm):
    """What the reviewer says it was."""

    seen = None
    worth_reviewing = None
    note = forms.CharField(max_length=NOTE_LENGTH, required=False)


class SharesForm(forms.ModelForm):
    """Which share of verdicts is looked at again."""

    class Meta:
        model = ReviewPolicy
        fields = (
            *ReviewPolicy.SHARES,
            "large_amount",
            "due_hours",
            "sample_budget",
            "model_budget",
            "reason",
        )
        labels = {
            "random_share": "Of all verdicts",
            "large_share": "Of large amounts",
            "unsure_share": "Of verdicts somebody was unsure of",
            "release_share": "Of blocked payments that were released",
            "large_amount": "Large is from (base currency)",
            "due_hours": "Due within (hours)",
            "sample_budget": "Payments below the line, a day",
            "model_budget": "Questions of the model, a day",
            "reason": "Why",
        }
        widgets = {"reason": forms.Textarea(attrs={"rows": 2, "required": True})}
        error_messages = {"reason": {"required": "Say why the shares change."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        for name in ReviewPolicy.SHARES:
            self.fields[name] = forms.FloatField(
                min_value=0, max_value=1, label=self.fields[name].label, help_text="0 to 1"
            )
        self.fields["large_amount"].min_value = Decimal(0)

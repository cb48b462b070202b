"""What is typed of second looks: the reviewer's answer, and which share of verdicts is drawn."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from alerts.forms import NOTE_LENGTH, DecisionForm
from alerts.models import ReviewPolicy


class AnswerForm(DecisionForm):
    """What the reviewer says it was."""

    seen = None
    worth_reviewing = None
    note = forms.CharField(max_length=NOTE_LENGTH, required=False, label=_("Note"))


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
            "random_share": _("Of all verdicts"),
            "large_share": _("Of large amounts"),
            "unsure_share": _("Of verdicts somebody was unsure of"),
            "release_share": _("Of blocked payments that were released"),
            "large_amount": format_lazy(
                _("Large is from ({currency})"), currency=settings.BASE_CURRENCY
            ),
            "due_hours": _("Due within (hours)"),
            "sample_budget": _("Payments below the line, a day"),
            "model_budget": _("Questions of the model, a day"),
            "reason": _("Why"),
        }
        widgets = {"reason": forms.Textarea(attrs={"rows": 2, "required": True})}
        error_messages = {"reason": {"required": _("Say why the shares change.")}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        for name in ReviewPolicy.SHARES:
            self.fields[name] = forms.FloatField(
                min_value=0, max_value=1, label=self.fields[name].label, help_text=_("0 to 1")
            )
        self.fields["large_amount"].min_value = Decimal(0)

"""What is asked on the model pages: how to train, and why."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from scoring import training, weekly
from scoring.engine import lane
from scoring.engine.presets import PRESETS
from scoring.labels import MATURITY

MOST_WEEKS = 12


class ReasonForm(forms.Form):
    """Why. It goes into the audit trail; only an approval may leave it at the asker's words."""

    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Write a reason: it is kept in the audit trail.")},
        label=_("Reason"),
    )


class TrainForm(forms.Form):
    """How a training treats what nobody has said, and how much people can review."""

    maturity_days = forms.IntegerField(
        min_value=0,
        max_value=365,
        initial=MATURITY.days,
        label=_("Silence counts as legitimate after (days)"),
    )
    budget_percent = forms.FloatField(
        min_value=0.01, max_value=40, label=_("Alert budget (% of transactions)")
    )
    novelty_percent = forms.FloatField(
        min_value=0,
        max_value=100 * lane.MOST,
        required=False,
        label=_("Of it for the novelty lane: what no label has taught (%, 0: none)"),
    )
    weeks = forms.IntegerField(
        min_value=0,
        max_value=MOST_WEEKS,
        initial=weekly.WEEKS,
        required=False,
        label=_("Past weeks to measure, each with a model of its own (0: none)"),
    )
    preset = forms.ChoiceField(
        choices=[
            (training.preset_names()[0], _("Default: calibrated, as far as labels allow")),
            *((one.name, format_lazy("{}: {}", one.name, _(one.title))) for one in PRESETS),
        ],
        required=False,
        label=_("What to train"),
    )

    def asked(self) -> dict[str, Any]:
        """As the verb takes it; a lane's share left empty is the champion's."""
        given = self.cleaned_data
        novelty = given["novelty_percent"]
        return {
            "maturity_days": given["maturity_days"],
            "budget": given["budget_percent"] / 100,
            "novelty": None if novelty is None else novelty / 100,
            "weeks": given["weeks"] or 0,
            "preset": given["preset"] or training.preset_names()[0],
        }

"""The values of a policy as people type them; what makes no sense together the verb refuses."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from anomalyshield.templatetags.words import figure
from scoring import policies
from scoring.engine.decision import Policy
from scoring.whatif import SIZES

GROUPS = (
    (_("Cut points of the risk score"), ("low_below", "high_above", "critical_above")),
    (
        format_lazy(_("Amounts, in {currency}"), currency=settings.BASE_CURRENCY),
        ("high_amount", "critical_amount"),
    ),
    (_("Velocity in several cities"), ("velocity_count", "velocity_cities")),
    (_("Unusual hours, on the customer's clocks"), ("unusual_from", "unusual_until")),
    (_("Merchants"), ("high_risk_mcc",)),
)


def _share() -> forms.FloatField:
    return forms.FloatField(min_value=0, max_value=1, widget=forms.NumberInput({"step": "0.01"}))


def _amount() -> forms.FloatField:
    return forms.FloatField(widget=forms.NumberInput({"step": "any"}))


def _latest(size: int) -> Any:
    return format_lazy(_("the last {size} decisions"), size=lazy(figure, str)(f"{size:,}"))


class PolicyForm(forms.Form):
    """All values at once; what is typed is never lost."""

    low_below = _share()
    high_above = _share()
    critical_above = _share()
    high_amount = _amount()
    critical_amount = _amount()
    velocity_count = forms.IntegerField(label=_("Velocity count"))
    velocity_cities = forms.IntegerField(label=_("Velocity cities"))
    unusual_from = forms.IntegerField(help_text=_("0 to 24"), label=_("Unusual from"))
    unusual_until = forms.IntegerField(
        help_text=_("0 to 24; the same hour twice: never"), label=_("Unusual until")
    )
    high_risk_mcc = forms.CharField(
        required=False,
        max_length=2000,
        help_text=_("Four digits each, between commas"),
        label=_("High risk mcc"),
    )
    last = forms.TypedChoiceField(
        choices=[(size, _latest(size)) for size in SIZES],
        coerce=int,
        empty_value=SIZES[1],
        required=False,
        label=_("Try it on"),
    )
    reason = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        label=_("Why, for the second person and the trail"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, title in policies.TITLES.items():
            self.fields[name].label = title

    @classmethod
    def of(cls, values: dict[str, Any]) -> "PolicyForm":
        codes = ", ".join(values["high_risk_mcc"])
        return cls(initial={**values, "high_risk_mcc": codes, "last": SIZES[1]})

    def groups(self) -> list[tuple[str, list[Any]]]:
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    def clean_high_risk_mcc(self) -> tuple[str, ...]:
        codes = re.split(r"[\s,;]+", self.cleaned_data["high_risk_mcc"].strip())
        return tuple(sorted({code for code in codes if code}))

    def policy(self) -> Policy:
        return Policy(**{name: self.cleaned_data[name] for name in policies.TITLES})

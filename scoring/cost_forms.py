"""The figures of a cost model as people type them: shares in per cent, amounts in base currency."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scoring import costs
from scoring.engine.costs import MOST_AMOUNT, Costs


def _field(name: str) -> forms.FloatField:
    meaning = costs.MEANINGS[name]
    most = 100 if meaning.share else MOST_AMOUNT
    return forms.FloatField(
        min_value=0,
        max_value=most,
        label=f"{meaning.title}, %" if meaning.share else meaning.title,
        help_text=meaning.means,
        widget=forms.NumberInput({"step": "any"}),
    )


class CostForm(forms.Form):
    """All figures at once; what is typed is never lost."""

    reason = forms.CharField(
        max_length=2000,
        required=False,  # who only looks needs none
        widget=forms.Textarea({"rows": 2}),
        label=_("Where the figures come from, for the second person and the trail"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in costs.MEANINGS:
            self.fields[name] = _field(name)

    @classmethod
    def of(cls, values: dict[str, float]) -> "CostForm":
        return cls(initial={name: _shown(name, value) for name, value in values.items()})

    def groups(self) -> list[tuple[str, list[Any]]]:
        return [(title, [self[name] for name in names]) for title, names in costs.GROUPS]

    def wanted(self) -> Costs:
        said = self.cleaned_data
        return Costs(
            **{
                name: round(said[name] / 100, 6) if meaning.share else said[name]
                for name, meaning in costs.MEANINGS.items()
            }
        )


def _shown(name: str, value: float) -> float:
    return round(100 * value, 4) if costs.MEANINGS[name].share else value

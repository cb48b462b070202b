"""What may be said about a route and about a queue: the fields come from the conditions."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import staffing
from alerts.conditions import CONDITIONS, NAMED, AtLeast, Below, OneOf
from alerts.directing import Said
from alerts.models import Queue, Route
from anomalyshield.accounts.models import User

DAYS = [(7, _lazy("7 days")), (30, _lazy("30 days")), (90, _lazy("90 days"))]
WORDS = 20  # at most so many values in one free list


class RouteForm(forms.Form):
    """One route. Every condition that is filled in must hold; of a list, one value is enough."""

    name = forms.CharField(max_length=80, label=_lazy("Name"))
    queue = forms.ModelChoiceField(Queue.objects.all(), label=_lazy("Goes to"), empty_label=None)
    grouping = forms.ChoiceField(
        choices=Route.Grouping.choices,
        label=_lazy("Payments are grouped"),
        initial="TYPOLOGY",
        help_text=_lazy("By suspicion: by the card, device or customer it is about"),
    )
    window_hours = forms.IntegerField(
        min_value=1, max_value=720, initial=24, label=_lazy("If apart at most, in hours")
    )
    sla_minutes = forms.IntegerField(
        min_value=5, max_value=43_200, required=False, label=_lazy("Minutes to a decision"),
        help_text=_lazy("Empty: the queue's own"),
    )  # fmt: skip

    def __init__(self, *args: Any, is_default: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks = [] if is_default else CONDITIONS
        for condition in self.asks:
            self.fields[condition.name] = _field(condition)
        self.order_fields(["name", *(one.name for one in self.asks)])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for name, sentence in contradictions(said):
            self.add_error(name, sentence)
        if self.asks and not self.errors and not self.conditions:
            self.add_error(
                None, _lazy("Say what it takes. Without a condition it takes everything.")
            )
        return said

    @property
    def conditions(self) -> dict[str, Any]:
        said = ((one.name, self.cleaned_data.get(one.name)) for one in self.asks)
        return {name: value for name, value in said if value not in (None, [], "")}

    @property
    def said(self) -> Said:
        names = ("name", "queue", "grouping", "window_hours", "sla_minutes")
        return Said(conditions=self.conditions, **{name: self.cleaned_data[name] for name in names})


def initial_of(route: Route) -> dict[str, Any]:
    """The form as the route stands."""
    conditions = {
        name: ", ".join(wanted) if _is_free(name) else wanted
        for name, wanted in route.conditions.items()
    }
    plain = ("name", "grouping", "window_hours", "sla_minutes")
    return {name: getattr(route, name) for name in plain} | {"queue": route.queue_id} | conditions


def contradictions(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Conditions that nothing meets: which one, and why."""
    found = []
    for low, high in (("amount_from", "amount_below"), ("score_from", "score_below")):
        least, below = said.get(low), said.get(high)
        if least is not None and below is not None and below <= least:
            found.append(
                (
                    high,
                    _("Nothing is {least:g} or more and below {below:g}.").format(
                        least=least, below=below
                    ),
                )
            )
    return found


class QueueForm(forms.Form):
    """A queue's name, clock and people."""

    name = forms.CharField(max_length=80, label=_lazy("Name"))
    sla_minutes = forms.IntegerField(
        min_value=5, max_value=43_200, initial=240, label=_lazy("Minutes to a decision")
    )
    people = forms.ModelMultipleChoiceField(
        User.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_lazy("Who works it"),
        help_text=_lazy("Analysts see the alerts of their queues and no others"),
    )

    def __init__(self, *args: Any, queue: Queue | None, **kwargs: Any) -> None:
        known = staffing.workers(queue) if queue else User.objects.none()
        if queue:
            now = {"name": queue.name, "sla_minutes": queue.sla_minutes, "people": known}
            kwargs.setdefault("initial", now)
        super().__init__(*args, **kwargs)
        self.queue = queue
        either = set(staffing.analysts().values_list("pk", flat=True))
        either |= set(known.values_list("pk", flat=True))
        self.fields["people"].queryset = User.objects.filter(pk__in=either).order_by("username")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        taken = Queue.objects.filter(name__iexact=name)
        if self.queue is not None:
            taken = taken.exclude(pk=self.queue.pk)
        if taken.exists():
            raise forms.ValidationError(
                _("There is a queue called {name} already.").format(name=name)
            )
        return name


class ReasonForm(forms.Form):
    """Why; it stays with the version."""

    reason = forms.CharField(
        max_length=500, error_messages={"required": _lazy("Say why.")}, label=_lazy("Reason")
    )


class ListField(forms.CharField):
    """Values with commas between them."""

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        said = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if len(said) > WORDS:
            raise forms.ValidationError(
                _("At most {words} values; make a second route.").format(words=WORDS)
            )
        return said


def _field(condition: OneOf | AtLeast | Below) -> forms.Field:
    if isinstance(condition, OneOf) and condition.choices:
        return forms.MultipleChoiceField(
            choices=condition.choices,
            required=False,
            label=condition.title,
            widget=forms.CheckboxSelectMultiple,
        )
    if isinstance(condition, OneOf):
        return ListField(
            max_length=500, required=False, label=condition.title, help_text=condition.help
        )
    above = 1.0 if condition.name.startswith("score") else 1e12
    title = (
        _("{title} from").format(title=condition.title)
        if isinstance(condition, AtLeast)
        else condition.title
    )
    return forms.FloatField(min_value=0, max_value=above, required=False, label=title)


def _is_free(name: str) -> bool:
    condition = NAMED.get(name)
    return isinstance(condition, OneOf) and not condition.choices

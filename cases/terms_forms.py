"""How the house handles cases: the terms of a queue, and the hours in which it works."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cases.calendars import DAYS, BadCalendar, read
from cases.calendarwork import holidays_in
from cases.models import BusinessCalendar


class TermsForm(forms.Form):
    """How the cases of a queue are handled."""

    creation_approval = forms.BooleanField(
        required=False,
        label=_lazy("A second person approves that a case is opened"),
        help_text=_lazy("Holds for cases opened from now on with an alert of this queue"),
    )
    calendar = forms.ModelChoiceField(
        BusinessCalendar.objects.all(),
        required=False,
        empty_label=_lazy("The default calendar"),
        label=_lazy("Calendar"),
    )
    hours_critical = forms.IntegerField(
        min_value=1, max_value=2000, label=_lazy("Business hours for a CRITICAL case")
    )
    hours_high = forms.IntegerField(min_value=1, max_value=2000, label=_lazy("For a HIGH one"))
    hours_medium = forms.IntegerField(min_value=1, max_value=2000, label=_lazy("For a MEDIUM one"))
    hours_low = forms.IntegerField(min_value=1, max_value=2000, label=_lazy("For a LOW one"))


class CalendarForm(forms.Form):
    """When the house works."""

    name = forms.CharField(max_length=80, label=_lazy("Name"))
    zone = forms.CharField(
        max_length=64, label=_lazy("Time zone"), help_text=_lazy("Like Europe/Berlin")
    )
    mon = forms.CharField(required=False, max_length=100, label=_lazy("Monday"))
    tue = forms.CharField(required=False, max_length=100, label=_lazy("Tuesday"))
    wed = forms.CharField(required=False, max_length=100, label=_lazy("Wednesday"))
    thu = forms.CharField(required=False, max_length=100, label=_lazy("Thursday"))
    fri = forms.CharField(required=False, max_length=100, label=_lazy("Friday"))
    sat = forms.CharField(required=False, max_length=100, label=_lazy("Saturday"))
    sun = forms.CharField(required=False, max_length=100, label=_lazy("Sunday"))
    holidays = forms.CharField(
        required=False,
        max_length=50_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_lazy("One a line: 2026-12-25 Christmas"),
        label=_lazy("Holidays"),
    )
    is_default = forms.BooleanField(
        required=False, label=_lazy("For every queue whose terms name no other")
    )

    def __init__(self, *args: Any, known: BusinessCalendar | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.known = known
        self.fields["mon"].help_text = _lazy("Like 09:00-12:00, 13:00-17:30; empty: nobody works")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        same = BusinessCalendar.objects.filter(name__iexact=name)
        if same.exclude(pk=self.known and self.known.pk).exists():
            raise forms.ValidationError(
                _("There is a calendar called {name} already.").format(name=name)
            )
        return name

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        week = {day: said.get(day, "") for day in DAYS}
        days = holidays_in(said.get("holidays", ""))
        try:
            read(said.get("zone", ""), week, [day for day, _unused in days])
        except BadCalendar as wrong:
            self.add_error(wrong.field if wrong.field in self.fields else None, str(wrong))
        return said

    @property
    def values(self) -> dict[str, Any]:
        """For the verb."""
        said = self.cleaned_data
        return {
            "name": said["name"],
            "zone": said["zone"],
            "week": {day: said[day] for day in DAYS},
            "holidays": holidays_in(said["holidays"]),
            "is_default": said["is_default"],
        }

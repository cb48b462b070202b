"""What may be asked of the queue, and what may be said about an alert."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alerts import moments
from alerts.models import Alert, Queue, Verdict
from alerts.query import Problem, read
from alerts.query_fields import Asker
from alerts.snoozing import REASON_LENGTH
from alerts.visibility import masked
from anomalyshield.context import zone
from scoring.engine.decision import Level
from scoring.engine.lists import LIST_RULES
from scoring.lists import Wish
from scoring.models import ListEntry

STATUSES = [
    ("", _("Open")),
    ("unassigned", _("Unassigned")),
    ("overdue", _("Past SLA")),
    ("changed", _("Changed since you looked")),
    ("escalated", _("In a case")),
    ("snoozed", _("Snoozed")),
    ("open", _("Open, snoozed too")),
    ("closed", _("Decided")),
    ("all", _("All")),
]
NOTE_LENGTH = 4000
DAYS = [
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("180", _("180 days")),
    ("", _("no end")),
]


class QueueFilter(forms.Form):
    """The address of the queue page says everything about what is shown on it."""

    q = forms.CharField(
        max_length=500,
        required=False,
        label=_("Search"),
        widget=forms.TextInput(
            attrs={
                "placeholder": _("Search: amount>5000 reason:HIGH_AMOUNT -level:LOW A-12"),
                "data-key": "/",
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "enterkeyhint": "search",
            }
        ),
    )
    status = forms.ChoiceField(choices=STATUSES, required=False, label=_("Status"))
    level = forms.ChoiceField(
        choices=[("", _("All levels")), *[(level, level.title()) for level in reversed(Level)]],
        required=False,
        label=_("Level"),
    )
    queue = forms.ChoiceField(required=False, label=_("Queue"))
    reason = forms.RegexField(
        r"^[A-Z0-9_]{1,32}$",
        required=False,
        widget=forms.Select,
        error_messages={"invalid": _("A reason is a code like HIGH_AMOUNT.")},
        label=_("Reason"),
    )
    suspected = forms.ChoiceField(
        choices=[("", _("All suspicions")), *Alert.Typology.choices],
        required=False,
        label=_("Suspected"),
    )
    user = forms.CharField(
        max_length=200,
        required=False,
        label=_("Entity"),
        widget=forms.SearchInput(attrs={"placeholder": _("Entity, its whole id"), "data-key": "s"}),
    )
    mine = forms.BooleanField(required=False, label=_("Mine"))
    after = forms.CharField(
        max_length=120, required=False, widget=forms.HiddenInput, label=_("After")
    )

    def __init__(self, data: Any, *, queues: Iterable[Queue], user: Any) -> None:
        super().__init__(data)
        hidden, queues = masked(user), list(queues)
        self.asker = Asker(user, queues, hidden)
        self.wrong: Sequence[Problem] = ()
        named = [(queue.slug, queue.name) for queue in queues]
        self.fields["queue"].choices = [("", _("All queues")), *named]
        if len(named) < 2:
            self.fields["queue"].widget = forms.HiddenInput()
        self.fields["reason"].widget.choices = [("", _("All reasons")), *self._reasons()]
        if hidden:
            # Asking for a masked value and seeing rows would confirm it.
            del self.fields["user"]

    def clean_q(self) -> str:
        """Kept for its field also when it cannot be read; `wrong` says where and why."""
        text = str(self.cleaned_data["q"])
        self.wrong = read(text, self.asker).problems if text else ()
        return text

    def _reasons(self) -> list[tuple[str, str]]:
        from scoring.engine.lane import LANE_RULES  # compile with the engine: only when a page asks
        from scoring.engine.rules import RULES
        from scoring.reasons import title_of

        known = [rule.code for rule in (*LIST_RULES, *RULES, *LANE_RULES)]
        codes = dict.fromkeys([*known, self.data.get("reason", "")])
        return [(code, _(title_of(code))) for code in codes if code]

    @property
    def asked(self) -> dict[str, Any]:
        """The valid answers; what is not valid narrows nothing and is shown as an error."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class CertaintyForm(forms.Form):
    """How sure somebody is of a verdict, and whether the alert was worth their time."""

    confidence = forms.ChoiceField(
        choices=[("", _("Fairly sure, as a rule")), *Verdict.Confidence.choices],
        required=False,
        label=_("How sure"),
        error_messages={"invalid_choice": _("“%(value)s” is not how sure one can be.")},
    )
    worth_reviewing = forms.TypedChoiceField(
        choices=[("", _("Not said")), ("yes", _("Yes")), ("no", _("No"))],
        coerce=lambda said: said == "yes",
        empty_value=None,
        required=False,
        label=_("Worth reviewing?"),
        error_messages={"invalid_choice": _("Worth reviewing: yes, no, or nothing said.")},
    )


class DecisionForm(CertaintyForm):
    """One of the dispositions, with a typology when it was fraud."""

    disposition = forms.ChoiceField(
        choices=Alert.VERDICTS,
        error_messages={
            "required": _("Choose what it was: fraud, legitimate, explained or inconclusive."),
            "invalid_choice": _("“%(value)s” is not a disposition."),
        },
        label=_("Disposition"),
    )
    typology = forms.ChoiceField(
        choices=[("", _("Typology, if fraud")), *Alert.Typology.choices],
        required=False,
        error_messages={"invalid_choice": _("“%(value)s” is not a typology.")},
        label=_("Typology"),
    )
    note = forms.CharField(max_length=NOTE_LENGTH, required=False, label=_("Note"))
    seen = forms.IntegerField(
        min_value=1, required=False, label=_("Seen")
    )  # payments that were on the page


class ListingForm(forms.Form):
    """Whom of an alert to put on which list, why and for how long; nobody is an answer too."""

    list_on = forms.MultipleChoiceField(required=False, label=_("List on"))
    list_kind = forms.ChoiceField(
        choices=ListEntry.Kind.choices, required=False, label=_("List kind")
    )
    list_reason = forms.CharField(max_length=500, required=False, label=_("List reason"))
    list_days = forms.TypedChoiceField(
        choices=DAYS, coerce=int, required=False, empty_value=None, label=_("List days")
    )

    def __init__(self, data: Any, *, alert: Alert) -> None:
        super().__init__(data)
        self.named = named_in(alert)
        self.fields["list_on"].choices = [(entity, entity) for entity in self.named]

    @property
    def wishes(self) -> list[Wish]:
        """One wish per ticked entity; the verb says what is wrong with it."""
        said = self.cleaned_data
        days = said["list_days"]
        until = timezone.now() + timedelta(days=days) if days else None
        kind = said["list_kind"] or ListEntry.Kind.DENY
        return [
            Wish(kind, entity, self.named[entity], said["list_reason"], until)
            for entity in said["list_on"]
        ]


def named_in(alert: Alert) -> dict[str, str]:
    """Entity → the value this alert's payment names, of those it names."""
    paid = alert.transaction
    found = {
        "user": paid.user_id,
        "card": paid.card_id,
        "device": paid.device_id,
        "merchant": paid.merchant_name,
    }
    return {entity: value for entity, value in found.items() if value}


class SnoozeForm(forms.Form):
    """Until when and why; `for_customer` while somebody waits for their answer."""

    when = forms.ChoiceField(
        choices=moments.CHOICES,
        error_messages={
            "required": _("Say when it comes back."),
            "invalid_choice": _("“%(value)s” is no such moment."),
        },
        label=_("When"),
    )
    day = forms.DateField(
        required=False,
        error_messages={"invalid": _("Write the day like 2026-11-30.")},
        label=_("Day"),
    )
    why = forms.CharField(
        max_length=REASON_LENGTH,
        error_messages={"required": _("Say why it waits.")},
        label=_("Why"),
    )
    for_customer = forms.BooleanField(required=False, label=_("For customer"))

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("when") == moments.DATE and not said.get("day") and "day" not in self.errors:
            self.add_error("day", _("Say on which day it comes back."))
        return said

    @property
    def said(self) -> dict[str, Any]:
        """As the verb takes it; mornings are those of whoever asks."""
        told, now = self.cleaned_data, timezone.now()
        until = moments.moment_of(told["when"], now=now, zone=zone(), day=told["day"])
        return {"until": until, "reason": told["why"], "for_customer": told["for_customer"]}


class NoteForm(forms.Form):
    """Something to remember about it."""

    note = forms.CharField(
        max_length=NOTE_LENGTH,
        error_messages={"required": _("Write the note first.")},
        label=_("Note"),
    )

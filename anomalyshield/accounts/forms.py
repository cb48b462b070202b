"""What an admin fills in, and what one asks the audit log."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.roles import ADMIN, DUTIES, EVENTS, SCOPES, TITLES
from anomalyshield.audit.models import AuditEvent

ROLES = [
    (role, format_lazy("{title}: {duty}.", title=title, duty=DUTIES[role]))
    for role, title in TITLES.items()
]
ABILITIES = {
    "score:write": _("have transactions scored"),
    "events:write": _("send events and files"),
    "read:alerts": _("read alerts and transactions"),
}


def roles_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=_("Roles"), choices=ROLES, required=False, widget=forms.CheckboxSelectMultiple
    )


def email_field() -> forms.EmailField:
    return forms.EmailField(
        required=False,
        label=_("E-mail address"),
        help_text=_("Where reports are sent to. Only admins set it, so that nothing leaves by it."),
    )


def lead_field() -> forms.BooleanField:
    return forms.BooleanField(
        required=False, label=_("Lead"), help_text=_("May reassign others' alerts and act in bulk.")
    )


class UserForm(forms.Form):
    """A new person."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[RegexValidator(r"^[\w.@+-]+\Z", _("Letters, digits and . @ + - _ only."))],
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    full_name = forms.CharField(
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        label=_("Full name"),
    )
    email = email_field()
    roles = roles_field()
    is_lead = lead_field()


def zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every zone of the machine's database by its part of the world, UTC before them all."""
    parts: dict[str, list[tuple[str, str]]] = {"": [("UTC", "UTC")]}
    for name in sorted(available_timezones()):
        part, _, place = name.partition("/")
        if place and part not in {"Etc", "SystemV", "posix", "right"}:
            parts.setdefault(part, []).append((name, place.replace("_", " ")))
    return list(parts.items())


class ProfileForm(forms.Form):
    """What a person chooses for themselves."""

    timezone = forms.ChoiceField(choices=zones, label=_("Show times in"))
    language = forms.ChoiceField(
        required=False,
        label=_("Language"),
        choices=[("", _("as the browser asks")), *settings.LANGUAGES],
    )
    keys = forms.BooleanField(
        required=False,
        label=_("Letters are keys"),
        help_text=_(
            "f decides fraud, n opens the next alert, ? shows all of them. Switch them off "
            "if you speak to your computer, or if they get in the way."
        ),
    )


class StandingForm(forms.Form):
    """What a person may do from now on."""

    email = email_field()
    roles = roles_field()
    is_lead = lead_field()
    may_unmask = forms.BooleanField(
        required=False,
        label=_("Personal data"),
        help_text=_("May see it unmasked, giving a reason each time."),
    )
    is_active = forms.BooleanField(
        required=False,
        label=_("May log in"),
        help_text=_(
            "Without this the person is suspended: sessions and tokens end at once, keys "
            "they made stop, and their open alerts go back to the queue."
        ),
    )


class KeyForm(forms.Form):
    """A new key for a machine."""

    name = forms.CharField(
        max_length=100,
        help_text=_("The system that will use it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        label=_("Name"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[
            (one, format_lazy("{may} ({scope})", may=ABILITIES[one], scope=one)) for one in SCOPES
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    source = forms.ModelChoiceField(
        ApiKey._meta.get_field("source").related_model._default_manager.all(),
        required=False,
        empty_label=_("any"),
        help_text=_("Where its data belongs."),
        label=_("Source"),
    )
    expires_at = forms.DateTimeField(
        required=False,
        label=_("Expires (UTC)"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    per_minute = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        label=_("Requests a minute"),
        help_text=_("Empty: what holds for every key."),
    )

    def __init__(self, *args: object, by: User) -> None:
        super().__init__(*args)
        self.fields["source"].queryset = self.fields["source"].queryset.visible_to(by)
        if ADMIN not in by.roles:  # others would only be refused the rest
            shown = [one for one in self.fields["scopes"].choices if one[0] == EVENTS]
            self.fields["scopes"].widget.choices = shown
            self.fields["scopes"].help_text = _("Keys that score or read are made by an admin.")


class TrailFilter(forms.Form):
    """What to show of the audit log."""

    actor = forms.CharField(max_length=150, required=False, label=_("Actor"))
    action = forms.CharField(
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"list": "actions", "placeholder": _("Decided an alert")}),
        label=_("Action"),
    )
    object_type = forms.CharField(
        max_length=64,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "alerts.alert"}),
        label=_("Object type"),
    )
    object_id = forms.CharField(max_length=64, required=False, label=_("Object id"))
    outcome = forms.ChoiceField(
        choices=[("", "all"), *AuditEvent.Outcome.choices], required=False, label=_("Outcome")
    )
    before = forms.IntegerField(
        min_value=1, validators=[MaxValueValidator(2**63 - 1)], required=False, label=_("Before")
    )

    @property
    def asked(self) -> dict[str, object]:
        """The filters that can be read; the others count as not given."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

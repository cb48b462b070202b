"""What an admin fills in."""

from django import forms
from django.core.validators import RegexValidator

from anomalyshield.accounts.roles import SCOPES, TITLES
from scoring.models import Source

ROLE_CHOICES = list(TITLES.items())


class UserForm(forms.Form):
    """A new person."""

    username = forms.CharField(
        max_length=150,
        validators=[RegexValidator(r"^[\w.@+-]+$", "Letters, digits and . @ + - _ only.")],
    )
    full_name = forms.CharField(max_length=200, required=False)
    roles = forms.MultipleChoiceField(choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple)
    is_lead = forms.BooleanField(required=False, label="Lead")


class StandingForm(forms.Form):
    """What a person may do from now on."""

    roles = forms.MultipleChoiceField(
        choices=ROLE_CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )
    is_lead = forms.BooleanField(required=False, label="Lead")
    is_active = forms.BooleanField(required=False, label="May log in")


class KeyForm(forms.Form):
    """A new key for a machine."""

    name = forms.CharField(max_length=100)
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES], widget=forms.CheckboxSelectMultiple
    )
    source = forms.ModelChoiceField(Source.objects.all(), required=False)
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )

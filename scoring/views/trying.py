"""Score a transaction by hand: the answer a program would get now, with nothing stored."""

from datetime import UTC, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from scoring import charts, policies, trying
from scoring.api import words
from scoring.deciding import Answer
from scoring.engine.decision import Policy, level_of
from scoring.engine.features import FEATURES
from scoring.engine.transaction import Invalid
from scoring.gauge import bands, gauge
from scoring.models import Transaction
from scoring.privacy import sees_people
from scoring.trying import Tried

ORDINARY = {
    "user_id": "user_001",
    "amount": "24.90",
    "currency": "USD",
    "merchant_category": "groceries",
    "location": "Mumbai",
    "country": "IN",
}


class TryForm(forms.Form):
    """The fields of a transaction, as text: the engine reads and refuses them, as for a program."""

    MAIN = ("user_id", "amount", "currency", "timestamp", "merchant_category", "mcc", "location",
            "country")  # fmt: skip

    user_id = forms.CharField(max_length=200, label=_lazy("User id"))
    amount = forms.CharField(
        max_length=40, widget=forms.TextInput({"inputmode": "decimal"}), label=_lazy("Amount")
    )
    currency = forms.CharField(required=False, max_length=20, label=_lazy("Currency"))
    timestamp = forms.CharField(
        required=False,
        max_length=60,
        label=_lazy("Time"),
        help_text=_lazy("Empty: now. Without offset: UTC."),
    )
    merchant_category = forms.CharField(
        required=False, max_length=200, label=_lazy("Merchant category")
    )
    mcc = forms.CharField(required=False, max_length=20, label=_lazy("Merchant category code"))
    location = forms.CharField(required=False, max_length=300, label=_lazy("City or place"))
    country = forms.CharField(
        required=False, max_length=40, help_text=_lazy("Two letters"), label=_lazy("Country")
    )
    merchant_name = forms.CharField(required=False, max_length=300, label=_lazy("Merchant name"))
    channel = forms.CharField(required=False, max_length=60, label=_lazy("Channel"))
    card_id = forms.CharField(required=False, max_length=200, label=_lazy("Card id"))
    device_id = forms.CharField(required=False, max_length=200, label=_lazy("Device id"))
    latitude = forms.CharField(required=False, max_length=40, label=_lazy("Latitude"))
    longitude = forms.CharField(required=False, max_length=40, label=_lazy("Longitude"))
    timezone = forms.CharField(
        required=False, max_length=80, label=_lazy("Time zone"), help_text=_lazy("As Asia/Kolkata")
    )

    def main(self) -> list[Any]:
        return [self[name] for name in self.MAIN]

    def more(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in self.MAIN]

    @property
    def more_is_used(self) -> bool:
        return any(bound.errors or bound.value() for bound in self.more())

    def record(self) -> dict[str, str]:
        """What was filled in, as the body a program would send."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def refuse(self, invalid: Invalid) -> None:
        """The engine's words beside the fields they are about."""
        for name, reason in invalid.reasons.items():
            self.add_error(name if name in self.fields else None, f"{name} {reason}")


@allow("score.write", methods=("GET", "HEAD", "POST"))
def score(request: HttpRequest) -> HttpResponse:
    """The form with an example, or the answer beside what was asked."""
    if request.method != "POST":
        return _page(request, TryForm(initial=_start(request)))
    form = TryForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        tried = trying.try_one(form.record())
    except Invalid as invalid:
        form.refuse(invalid)
        return _page(request, form, status=400)
    return _page(request, form, tried)


def examples(policy: Policy) -> dict[str, tuple[str, dict[str, str]]]:
    """Payments that show what the policy in force looks at: their name, title and fields."""
    mcc = policy.high_risk_mcc[0] if policy.high_risk_mcc else ""
    ordinary = ORDINARY | {"timestamp": _last(14)}
    large = {"amount": f"{policy.high_amount * 1.25:.2f}", "merchant_category": "electronics"}
    abroad = {"location": "London", "country": "GB", "amount": "940.00"}
    return {
        "ordinary": (_("An ordinary payment"), ordinary),
        "large": (_("A large amount"), ordinary | large),
        "night": (_("At night"), ordinary | {"timestamp": _last(policy.unusual_from)}),
        "risky": (
            _("A risky merchant, abroad"),
            ordinary | abroad | {"mcc": mcc, "merchant_category": "gambling"},
        ),
    }


def _last(hour: int) -> str:
    """Ten past that hour in UTC, the last time it was."""
    now = timezone.now().astimezone(UTC)
    at = now.replace(hour=hour % 24, minute=10, second=0)
    return f"{at if at <= now else at - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"


def _start(request: HttpRequest) -> dict[str, str]:
    """An example; with `like`, a stored payment whose values this person may see."""
    number = request.GET.get("like", "")
    known = number.isascii() and number.isdecimal() and len(number) < 19
    row = Transaction.objects.filter(pk=number).first() if known else None
    if row is not None and sees_people(request.user):
        record(by=request.user, action="data.read", object=row)
        return _like(row)
    shown = examples(_policy_in_force())
    return shown.get(request.GET.get("example", ""), shown["ordinary"])[1]


def _like(row: Transaction) -> dict[str, str]:
    given = {name: getattr(row, name, "") for name in TryForm.base_fields if name != "timestamp"}
    given["amount"] = f"{row.amount.normalize():f}"
    return {name: str(value) for name, value in given.items() if value not in (None, "")}


def _policy_in_force() -> Policy:
    return Policy.from_dict(policies.active().values)


def _page(
    request: HttpRequest, form: TryForm, tried: Tried | None = None, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "examples": examples(_policy_in_force())}
    if sees_people(request.user):
        numbers = Transaction.objects.order_by("-pk").values_list("pk", flat=True)
        context["latest"] = numbers.first()
    if tried is not None:
        context |= _told(tried)
    return render(request, "scoring/try.html", context, status=status)


def _told(tried: Tried) -> dict[str, Any]:
    """The answer in words and drawings."""
    answer, policy = tried.answer, Policy.from_dict(tried.policy.values)
    return {
        "answer": answer,
        "policy": tried.policy,
        "alone": level_of(answer.risk_score, policy),
        "milliseconds": words.milliseconds(answer),
        "gauge": gauge(answer.risk_score, answer.level, policy),
        "bands": bands(policy),
        "bars": _bars(answer),
    }


def _bars(answer: Answer) -> list[tuple[str, float | None, float, Any]]:
    """The strongest contributions and the sum of the others, so that what is drawn adds up."""
    if answer.why is None:
        return []
    meanings = {feature.name: feature.meaning for feature in FEATURES}
    told = [
        (meanings[part["feature"]], part["value"], part["contribution"])
        for part in answer.why.factors
    ]
    told.append((_("All others together"), None, answer.why.rest))
    largest = max(abs(value) for *_unused, value in told)
    return [(meaning, seen, value, charts.bar(value, largest)) for meaning, seen, value in told]

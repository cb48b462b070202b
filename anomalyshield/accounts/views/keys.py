"""API keys: made, shown once, revoked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.forms import KeyForm
from anomalyshield.accounts.keys import Refused, make_key, revoke_key
from anomalyshield.accounts.models import ApiKey
from anomalyshield.accounts.permissions import allow
from anomalyshield.accounts.roles import ADMIN

ENGINEERS_MAY = {"events:write"}  # reliability section 6: an engineer makes events keys only


@allow("key.manage", methods=("GET",))
def keys(request: HttpRequest) -> HttpResponse:
    return _list(request, KeyForm())


@allow("key.manage", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _list(request, form, 400)
    if ADMIN not in request.user.roles and set(form.cleaned_data["scopes"]) - ENGINEERS_MAY:
        form.add_error("scopes", "A data engineer makes keys for events:write only; ask an admin.")
        return _list(request, form, 403)
    try:
        made, key = make_key(by=request.user, **form.cleaned_data)
    except Refused as refusal:
        form.add_error("scopes", str(refusal))
        return _list(request, form, 400)
    return render(request, "accounts/key_made.html", {"made": made, "key": key})


@allow("key.manage", methods=("POST",))
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    revoke_key(by=request.user, key=get_object_or_404(_visible(request), pk=pk))
    forget_keys()
    return redirect("keys")


def _visible(request: HttpRequest):
    """An admin sees all keys; an engineer those they made."""
    every = ApiKey.objects.select_related("created_by", "source")
    return every if ADMIN in request.user.roles else every.filter(created_by=request.user)


def _list(request: HttpRequest, form: KeyForm, status: int = 200) -> HttpResponse:
    context = {"keys": _visible(request), "form": form, "now": timezone.now()}
    return render(request, "accounts/keys.html", context, status=status)

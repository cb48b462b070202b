"""API keys: made, shown once, revoked."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.forms import KeyForm
from anomalyshield.accounts.keys import NotYours, Refused, make_key, revoke_key
from anomalyshield.accounts.models import ApiKey, User
from anomalyshield.accounts.permissions import allow
from anomalyshield.accounts.roles import ADMIN


@allow("key.manage", methods=("GET",))
def keys(request: HttpRequest) -> HttpResponse:
    return _list(request, KeyForm(by=request.user))


@allow("key.manage", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = KeyForm(request.POST, by=request.user)
    if not form.is_valid():
        return _list(request, form, 400)
    try:
        made, key = make_key(by=request.user, **form.cleaned_data)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _list(request, form, 403 if isinstance(refusal, NotYours) else 400)
    return render(request, "accounts/key_made.html", {"made": made, "key": key})


@allow("key.manage", methods=("POST",))
def revoke(request: HttpRequest, pk: str) -> HttpResponse:
    key = get_object_or_404(visible(request.user), pk=pk)
    if revoke_key(by=request.user, key=key):
        messages.success(
            request, _("{key} is revoked: nothing opens with it any more.").format(key=key)
        )
    forget_keys()
    return redirect("keys")


def visible(user: User) -> QuerySet[ApiKey]:
    """An admin sees all keys; an engineer those they made."""
    every = ApiKey.objects.select_related("created_by", "source")
    return every if ADMIN in user.roles else every.filter(created_by=user)


def _list(request: HttpRequest, form: KeyForm, status: int = 200) -> HttpResponse:
    context = {"keys": visible(request.user), "form": form, "now": timezone.now()}
    return render(request, "accounts/keys.html", context, status=status)

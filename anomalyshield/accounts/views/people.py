"""Users and their roles, for admins."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from anomalyshield.accounts import people
from anomalyshield.accounts.forms import StandingForm, UserForm
from anomalyshield.accounts.models import User
from anomalyshield.accounts.permissions import allow


@allow("user.manage", methods=("GET",))
def users(request: HttpRequest) -> HttpResponse:
    return _list(request, UserForm())


@allow("user.manage", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST)
    if not form.is_valid():
        return _list(request, form, 400)
    try:
        person, password = people.make_user(by=request.user, **form.cleaned_data)
    except people.Refused as refusal:
        form.add_error("username", str(refusal))
        return _list(request, form, 409)
    return _shown_once(request, person, password)


@allow("user.manage")
def user(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if request.method == "GET":
        return _page(request, person, StandingForm(initial=_standing(person)))
    form = StandingForm(request.POST)
    if not form.is_valid():
        return _page(request, person, form, 400)
    try:
        people.change_user(by=request.user, user=person, **form.cleaned_data)
    except people.Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, person, form, 409)
    messages.success(request, _("{person}: changed.").format(person=person))
    return redirect("users")


@allow("user.manage", methods=("POST",))
def password(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    try:
        fresh = people.give_new_password(by=request.user, user=person)
    except people.Refused as refusal:
        form = StandingForm(initial=_standing(person))
        return _page(request, person, form, 409, refusal=str(refusal))
    return _shown_once(request, person, fresh)


def _list(request: HttpRequest, form: UserForm, status: int = 200) -> HttpResponse:
    everyone = User.objects.prefetch_related("groups").order_by("-is_active", "username")
    return render(request, "accounts/users.html", {"people": everyone, "form": form}, status=status)


def _page(
    request: HttpRequest, person: User, form: StandingForm, status: int = 200, **more: Any
) -> HttpResponse:
    context = {"person": person, "form": form, "oneself": person == request.user, **more}
    context["keys"] = person.keys_made.living()
    return render(request, "accounts/user.html", context, status=status)


def _shown_once(request: HttpRequest, person: User, password: str) -> HttpResponse:
    context = {"person": person, "password": password}
    return render(request, "accounts/password_made.html", context)


def _standing(person: User) -> dict[str, object]:
    return {
        "roles": list(person.roles),
        "is_lead": person.is_lead,
        "may_unmask": person.may_unmask,
        "is_active": person.is_active,
        "email": person.email,
    }

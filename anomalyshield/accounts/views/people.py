"""Users and their roles, for admins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from anomalyshield.accounts import people
from anomalyshield.accounts.forms import StandingForm, UserForm
from anomalyshield.accounts.models import User
from anomalyshield.accounts.permissions import allow


@allow("user.manage", methods=("GET",))
def users(request: HttpRequest) -> HttpResponse:
    everyone = User.objects.prefetch_related("groups").order_by("username")
    return render(request, "accounts/users.html", {"people": everyone, "form": UserForm()})


@allow("user.manage", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = UserForm(request.POST)
    if form.is_valid():
        try:
            user, password = people.make_user(by=request.user, **form.cleaned_data)
            return render(request, "accounts/made.html", {"person": user, "password": password})
        except people.Refused as refusal:
            form.add_error("username", str(refusal))
    everyone = User.objects.prefetch_related("groups").order_by("username")
    return render(request, "accounts/users.html", {"people": everyone, "form": form}, status=400)


@allow("user.manage")
def user(request: HttpRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    form = StandingForm(request.POST or None, initial=_standing(person))
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            people.change_user(by=request.user, user=person, **form.cleaned_data)
            return redirect("users")
        except people.Refused as refusal:
            form.add_error(None, str(refusal))
            status = 409
    return render(request, "accounts/user.html", {"person": person, "form": form}, status=status)


def _standing(person: User) -> dict[str, object]:
    roles = list(person.groups.values_list("name", flat=True))
    return {"roles": roles, "is_lead": person.is_lead, "is_active": person.is_active}

"""Calendars of the house, for admins."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from cases.calendarwork import save_calendar, told
from cases.models import BusinessCalendar
from cases.terms_forms import CalendarForm


@allow("user.manage", methods=("GET",))
def calendars(request: HttpRequest) -> HttpResponse:
    BusinessCalendar.default()
    return render(request, "cases/calendars.html", {"calendars": BusinessCalendar.objects.all()})


@allow("user.manage")
def new(request: HttpRequest) -> HttpResponse:
    return _page(
        request, None, CalendarForm(request.POST or None, initial=BusinessCalendar.WORKING_WEEK)
    )


@allow("user.manage")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    known = get_object_or_404(BusinessCalendar, pk=pk)
    said = told(known)
    lines = "\n".join(f"{day} {name}".strip() for day, name in known.holidays)
    initial = {**said, **known.week, "holidays": lines}
    return _page(request, known, CalendarForm(request.POST or None, initial=initial, known=known))


def _page(request: HttpRequest, known: BusinessCalendar | None, form: CalendarForm) -> HttpResponse:
    if form.is_valid():
        saved = save_calendar(by=request.user, calendar=known, **form.values)
        messages.success(
            request, _("{saved} is saved; what runs by it is due accordingly.").format(saved=saved)
        )
        return redirect("case-calendars")
    context = {"form": form, "calendar": known}
    return render(request, "cases/calendar.html", context, status=400 if form.errors else 200)

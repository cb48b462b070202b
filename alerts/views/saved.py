"""Views of the queue under a name, and how its table looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts import viewing
from alerts.counting import Count, counts
from alerts.forms import QueueFilter
from alerts.listing import asked_in, question
from alerts.models import Queue, SavedView
from alerts.visibility import masked, queues_of
from anomalyshield.accounts.permissions import allow

VIEWS: list[tuple[str, dict[str, str]]] = [
    (_lazy("Open"), {}),
    (_lazy("Critical, unassigned"), {"status": "unassigned", "level": "CRITICAL"}),
    (_lazy("Past SLA"), {"status": "overdue"}),
    (_lazy("Changed since you looked"), {"status": "changed"}),
    (_lazy("Mine"), {"mine": "on"}),
    (_lazy("Snoozed"), {"status": "snoozed"}),
]
DECIDED = (_lazy("Decided"), {"status": "closed"})
COUNTED = 24  # views with a count; who keeps more reads the further ones without


@dataclass(frozen=True)
class Pill:
    """A view as it stands above the queue."""

    title: str
    query: str
    here: bool
    queue: str = ""
    count: Count | None = None


class ViewForm(forms.Form):
    """A name for the filters one looks at, and for whom it is kept."""

    name = forms.CharField(
        max_length=40, error_messages={"required": _lazy("Give it a name.")}, label=_lazy("Name")
    )
    query = forms.CharField(
        max_length=1000,
        error_messages={"required": _lazy("Narrow the queue first.")},
        label=_lazy("Query"),
    )
    queue = forms.ChoiceField(required=False, label=_lazy("Queue"))

    def __init__(self, data: Any, *, user: Any) -> None:
        super().__init__(data)
        self.user, self.queues = user, list(queues_of(user)) if user.may("alert.work") else []
        self.fields["queue"].choices = [("", "me"), *((one.slug, one.name) for one in self.queues)]

    def clean_query(self) -> str:
        """Only what the page can read: a view that shows an error helps nobody."""
        query = viewing.tidy(self.cleaned_data["query"])
        form = QueueFilter(QueryDict(query), queues=queues_of(self.user), user=self.user)
        if not form.is_valid() or form.wrong:
            raise forms.ValidationError(
                _("The queue cannot be narrowed so: mend the search first.")
            )
        if not query:
            raise forms.ValidationError(_("Narrow the queue first."))
        return query

    @property
    def said(self) -> dict[str, Any]:
        told = self.cleaned_data
        queue = next((one for one in self.queues if one.slug == told["queue"]), None)
        return {"name": told["name"], "query": told["query"], "queue": queue}


def pills(user: Any, queues: Sequence[Queue], here: str) -> list[Pill]:
    """Everybody's views, one's own and those of one's queues, with how many alerts each holds."""
    kept = [
        (view.name, view.query, view.queue.name if view.queue else "")
        for view in SavedView.objects.for_person(user)
    ]
    first = [(title, urlencode(view), "") for title, view in VIEWS]
    counted = [*first, *kept][:COUNTED]
    asks = [
        question(asked_in(query, masked(user)), user, queues) for _unused, query, _unused in counted
    ]
    told = [*counts(asks, user), *[None] * (len(first) + len(kept) - len(counted))]
    shown = [
        Pill(title, query, query == here, queue, count)
        for (title, query, queue), count in zip([*first, *kept], told, strict=True)
    ]
    decided = urlencode(DECIDED[1])
    return [*shown[: len(first)], Pill(DECIDED[0], decided, decided == here), *shown[len(first) :]]


@allow("session.own", methods=("GET",))
def views(request: HttpRequest) -> HttpResponse:
    """One's own views and those of one's queues, to rename, move and remove."""
    return _page(request)


@allow("session.own", methods=("POST",))
def save(request: HttpRequest) -> HttpResponse:
    form = ViewForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, *_sentences(form), status=400)
    try:
        made = viewing.save(by=request.user, **form.said)
    except viewing.Refused as refusal:
        return _page(request, str(refusal), status=409)
    return redirect(f"{reverse('alerts')}?{made.query}")


@allow("session.own", methods=("POST",))
def change(request: HttpRequest, pk: int) -> HttpResponse:
    view, to = _find(request, pk), request.POST.get("to", "")
    name = request.POST.get("name", "").strip()
    if len(name) > 40 or "\x00" in name or to not in {"", "up", "down"}:
        return _page(request, _("A name is at most 40 characters."), status=400)
    try:
        viewing.change(by=request.user, view=view, name=name, to=to)
    except viewing.Refused as refusal:
        return _page(request, str(refusal), status=409)
    return redirect("alert-views")


@allow("session.own", methods=("POST",))
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    view = _find(request, pk)
    try:
        viewing.remove(by=request.user, view=view)
    except viewing.Refused as refusal:
        return _page(request, str(refusal), status=409)
    messages.success(
        request, _("“{view}” is gone. The alerts it showed are as they were.").format(view=view)
    )
    return redirect("alert-views")


@allow("session.own", methods=("POST",))
def arrange(request: HttpRequest) -> HttpResponse:
    """Unticked columns are left out; nonsense is as if nothing had been chosen."""
    shown = request.POST.getlist("columns")
    hidden = [name for name in viewing.COLUMNS if name not in shown]
    dense = request.POST.get("density") == viewing.COMPACT
    density = viewing.COMPACT if dense else viewing.COMFORTABLE
    viewing.arrange(by=request.user, density=density, hidden=hidden)
    return redirect(f"{reverse('alerts')}?{request.GET.urlencode()}")


def _find(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.for_person(request.user), pk=pk)


def _page(request: HttpRequest, *errors: str, status: int = 200) -> HttpResponse:
    user = request.user
    rows = [(view, viewing.may_change(user, view)) for view in SavedView.objects.for_person(user)]
    context = {
        "rows": rows,
        "errors": errors,
        "typed": request.POST,
        "queues": queues_of(user) if user.may("alert.work") else (),
    }
    return render(request, "alerts/views.html", context, status=status)


def _sentences(form: forms.Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]

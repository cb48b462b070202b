"""The allow and deny lists: looked through, added to by hand or by file, approved, ended."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from anomalyshield.accounts.permissions import allow
from anomalyshield.templatetags.words import figure
from scoring import listfile, lists, personal
from scoring.engine.keys import entity_key, folded_key
from scoring.lists import Wish
from scoring.models import ListEntry, Transaction
from scoring.models.lists import ListEntryQuerySet
from scoring.privacy import sees_people
from scoring.withheld import readable_entries

PAGE = 50
SHOWN = 20  # of the latest payments that met an entry
STATES = [
    ("", _lazy("Live")),
    ("PROPOSED", _lazy("Waiting")),
    ("ENDED", _lazy("Ended")),
    ("all", _lazy("All")),
]


class Filter(forms.Form):
    """The address says everything about what is shown."""

    kind = forms.ChoiceField(
        choices=[("", _lazy("Both lists")), *ListEntry.Kind.choices],
        required=False,
        label=_lazy("List"),
    )
    entity = forms.ChoiceField(
        choices=[("", _lazy("All types")), *ListEntry.Entity.choices],
        required=False,
        label=_lazy("Type"),
    )
    state = forms.ChoiceField(choices=STATES, required=False, label=_lazy("State"))
    q = forms.CharField(
        max_length=200,
        required=False,
        label=_lazy("Search"),
        widget=forms.SearchInput(attrs={"placeholder": _lazy("Value, or L-12"), "data-key": "s"}),
    )
    before = forms.IntegerField(
        min_value=1, required=False, widget=forms.HiddenInput, label=_lazy("Before")
    )

    def __init__(self, data: Any, *, hidden: bool) -> None:
        super().__init__(data, auto_id="filter_%s")  # the form beside it asks for the same
        if hidden:  # asking for a masked value and seeing a row would confirm it
            del self.fields["q"]

    @property
    def asked(self) -> dict[str, Any]:
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class EntryForm(forms.Form):
    """One wish. What is wrong with it is the verb's to say."""

    kind = forms.ChoiceField(choices=ListEntry.Kind.choices, label=_lazy("List"))
    entity = forms.ChoiceField(choices=ListEntry.Entity.choices, label=_lazy("Type"))
    value = forms.CharField(
        max_length=400, help_text=_lazy("As it stands in the payments"), label=_lazy("Value")
    )
    reason = forms.CharField(
        max_length=500, widget=forms.Textarea({"rows": 2}), label=_lazy("Reason")
    )
    expires = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_lazy("UTC. Allow entries need one, at most 180 days away"),
        label=_lazy("Expires"),
    )

    @property
    def wish(self) -> Wish:
        said = self.cleaned_data
        return Wish(said["kind"], said["entity"], said["value"], said["reason"], said["expires"])


class EndForm(forms.Form):
    """Why it ends."""

    reason = forms.CharField(
        max_length=500,
        error_messages={"required": _lazy("Say why it ends: that stays with the entry.")},
        label=_lazy("Reason"),
    )


@allow("list.view", methods=("GET", "HEAD"))
def entries(request: HttpRequest) -> HttpResponse:
    return _list(request)


@allow("list.edit", methods=("POST",))
def put(request: HttpRequest) -> HttpResponse:
    form = EntryForm(request.POST)
    if not form.is_valid():
        return _list(request, form=form, status=400)
    try:
        made = lists.put(by=request.user, wish=form.wish)
    except lists.Refused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return _list(request, form=form, status=409 if isinstance(refusal, lists.Already) else 400)
    waits = made.state == ListEntry.State.PROPOSED
    after = _("It is in force once a second person approved it.") if waits else _("It is in force.")
    messages.success(request, _("{made} is made. {after}").format(made=made, after=after))
    return redirect("lists")


@allow("list.edit", methods=("POST",))
def take_over(request: HttpRequest) -> HttpResponse:
    """A file of entries, whole or not at all."""
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, "Choose a CSV file first.")
        return _list(request, status=400)
    try:
        made = listfile.take_over(by=request.user, content=file.read(listfile.MOST_BYTES + 1))
    except listfile.Unreadable as trouble:
        return _list(request, trouble=trouble, status=400)
    waiting = sum(one.state == ListEntry.State.PROPOSED for one in made)
    after = (
        _(" {waiting} of them wait for a second person.").format(waiting=waiting) if waiting else ""
    )
    told = ngettext("{count} entry made.{after}", "{count} entries made.{after}", len(made))
    messages.success(request, told.format(count=figure(f"{len(made):,}"), after=after))
    return redirect("lists")


@allow("list.view", methods=("GET", "HEAD"))
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, pk)


@allow("list.approve", methods=("POST",))
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    found = _found(pk, request.user)
    try:
        lists.approve(by=request.user, entry=found)
    except lists.Refused as refusal:
        return _page(request, pk, error=str(refusal), status=409)
    messages.success(request, _("{found} is in force.").format(found=found))
    return redirect("list-entry", pk)


@allow("list.edit", methods=("POST",))
def end(request: HttpRequest, pk: int) -> HttpResponse:
    found, form = _found(pk, request.user), EndForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=400)
    try:
        lists.end(by=request.user, entry=found, reason=form.cleaned_data["reason"])
    except lists.Refused as refusal:
        return _page(request, pk, error=str(refusal), status=409)
    messages.success(request, _("{found} has ended.").format(found=found))
    return redirect("list-entry", pk)


def narrow(asked: dict[str, Any], reader: Any) -> ListEntryQuerySet:
    """The entries that answer the filters and are not withheld, the latest first."""
    found = _seen_by(reader)
    match asked.get("state", ""):
        case "":
            found = found.living()
        case "PROPOSED" | "ENDED" as state:
            found = found.filter(state=state)
    for name in ("kind", "entity"):
        if name in asked:
            found = found.filter(**{name: asked[name]})
    if "before" in asked:
        found = found.filter(pk__lt=min(asked["before"], 2**63 - 1))
    return _called(found, asked["q"]) if "q" in asked else found


def _called(found: ListEntryQuerySet, wanted: str) -> ListEntryQuerySet:
    """By number, by the whole value, or by a part of it."""
    if wanted[:2].upper() == "L-" and wanted[2:].isascii() and wanted[2:].isdigit():
        return found.filter(pk=min(int(wanted[2:]), 2**63 - 1))
    wanted = wanted.replace("\x00", "")
    names = personal.called(wanted.strip())
    whole = found.filter(key__in=[*map(entity_key, names), folded_key(wanted)])
    return whole if whole.exists() else found.filter(value__icontains=wanted)


def _list(request: HttpRequest, *, status: int = 200, **given: Any) -> HttpResponse:
    hidden = not sees_people(request.user)
    filters = Filter(request.GET, hidden=hidden)
    asked = filters.asked
    rows = list(narrow(asked, request.user)[: PAGE + 1])
    kept = {name: value for name, value in asked.items() if name != "before"}
    more = urlencode({**kept, "before": rows[PAGE - 1].pk}) if len(rows) > PAGE else ""
    context = {
        "entries": rows[:PAGE],
        "filters": filters,
        "narrowed": bool(asked),
        "first_page": urlencode(kept),
        "is_first": "before" not in asked,
        "more": more,
        "hidden": hidden,
        "waiting": narrow({"state": "PROPOSED"}, request.user).count(),
        "may_edit": request.user.may("list.edit"),
        "form": EntryForm(initial={"kind": "DENY", "entity": "card"}),
        "columns": ",".join(listfile.COLUMNS),
    } | given
    return render(request, "scoring/lists.html", context, status=status)


def _page(
    request: HttpRequest,
    pk: int,
    *,
    status: int = 200,
    form: EndForm | None = None,
    error: str = "",
) -> HttpResponse:
    found, user = _found(pk, request.user), request.user
    proposed = found.state == ListEntry.State.PROPOSED
    context = {
        "entry": found,
        "hidden": not sees_people(user),
        "payments": _met(found),
        "form": form or EndForm(),
        "error": error,
        "may_end": user.may("list.edit") and found.state != ListEntry.State.ENDED,
        "may_approve": user.may("list.approve") and proposed,
        "own": found.four_eyes and found.proposed_by_id == user.pk,
        "leads": getattr(user, "is_lead", False) or user.may("user.manage"),
    }
    return render(request, "scoring/list_entry.html", context, status=status)


def _found(pk: int, reader: Any) -> ListEntry:
    return get_object_or_404(_seen_by(reader), pk=pk)


def _seen_by(reader: Any) -> ListEntryQuerySet:
    people = ("proposed_by", "approved_by", "ended_by")
    return readable_entries(ListEntry.objects.select_related(*people), reader)


def _met(entry: ListEntry) -> list[Transaction]:
    """The latest payments it decided about. Merchants have too many to look through."""
    if entry.entity == ListEntry.Entity.MERCHANT or entry.in_force_since is None:
        return []
    paid = Transaction.objects.filter(**{f"{entry.entity}_key": entry.key})
    paid = paid.filter(
        recorded_at__gte=entry.in_force_since,
        decision__hits__contains=[{"code": f"{entry.kind}_LIST", "observed": float(entry.pk)}],
    )
    return list(paid.select_related("decision", "source").latest_first()[:SHOWN])

"""The sources: what came from each, and what they say once for all their records."""

from django.contrib import messages
from django.db.models import Count, Max, OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from anomalyshield.accounts.permissions import allow
from scoring.forms import SourceForm
from scoring.models import RejectedRecord, Source
from scoring.sourcing import change_source, make_source


@allow("source.view", methods=("GET", "HEAD"))
def sources(request: HttpRequest) -> HttpResponse:
    return _list(request, SourceForm())


@allow("source.edit", methods=("POST",))
def make(request: HttpRequest) -> HttpResponse:
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _list(request, form, 400)
    made = make_source(by=request.user, **form.cleaned_data)
    messages.success(request, f"The source {made} is made.")
    return redirect("sources")


@allow("source.edit")
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """One source, to be changed; its name stays, because keys and files are bound to it."""
    found = get_object_or_404(Source.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return _page(request, found, SourceForm(instance=found))
    form = SourceForm(request.POST, instance=found)
    if not form.is_valid():
        return _page(request, found, form, 400)
    change_source(by=request.user, source=found, **form.cleaned_data)
    messages.success(request, f"{found}: changed.")
    return redirect("sources")


def _page(request: HttpRequest, found: Source, form: SourceForm, status: int = 200) -> HttpResponse:
    context = {"source": found, "form": form, "grants": request.user.may("user.manage")}
    return render(request, "scoring/source.html", context, status=status)


def _list(request: HttpRequest, form: SourceForm, status: int = 200) -> HttpResponse:
    refused = RejectedRecord.objects.filter(source=OuterRef("pk")).order_by().values("source")
    rows = Source.objects.visible_to(request.user).annotate(
        files=Count("upload"),
        rows=Sum("upload__accepted", default=0),
        last=Max("upload__created_at"),
        rejected=Subquery(refused.annotate(count=Count("pk")).values("count")),
    )
    context = {"sources": rows, "form": form}
    return render(request, "scoring/sources.html", context, status=status)

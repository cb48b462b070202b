"""The sources: what came from each, what they say of their records, and a sample tried on it."""

import json
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from anomalyshield.accounts.permissions import allow
from scoring import connections, hooks, source_documents
from scoring.columns import Refused
from scoring.hook_samples import signed_sample
from scoring.models import RejectedRecord, Source, SourceVersion
from scoring.sampled import MOST_CHARACTERS, Tried, try_sample
from scoring.source_forms import WORDS, SourceForm
from scoring.source_health import health_of
from scoring.sourcing import change_source, load_document, make_source, openable
from scoring.streaming.reaching import try_connection

SHOWN_VERSIONS = 20
EXAMPLE = """\
name: card_payments
source_type: kafka
config:
  topic: transactions
  bootstrap_servers: ["broker-1.example:9092"]
schema:
  type: object
  properties:
    user_id: {type: string}
    amount: {type: number}
  required: ["user_id", "amount"]
pii_fields: ["user_id"]
"""


@allow("source.view", methods=("GET", "HEAD"))
def sources(request: HttpRequest) -> HttpResponse:
    refused = RejectedRecord.objects.waiting().filter(source=OuterRef("pk")).order_by()
    rows = Source.objects.visible_to(request.user).annotate(
        files=Count("upload"),
        rows=Sum("upload__accepted", default=0),
        last=Max("upload__created_at"),
        rejected=Subquery(refused.values("source").annotate(count=Count("pk")).values("count")),
    )
    may = request.user.may
    edits, mends = may("source.edit"), may("quarantine.work")
    context = {"sources": rows, "kinds": WORDS, "edits": edits, "mends": mends}
    return render(request, "scoring/sources.html", context)


@allow("source.edit")
def make(request: HttpRequest) -> HttpResponse:
    """A new source: its kind first, then what that kind needs."""
    if request.method != "POST":
        kind = request.GET.get("kind", "")
        return _page(request, SourceForm(kind=kind if kind in connections.SETTINGS else ""))
    form = SourceForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 400)
    if request.POST.get("do") == "try":
        return _tried(request, form)
    try:
        made = make_source(by=request.user, secrets=form.secrets, **form.fields_said)
    except Refused as refusal:
        form.refused(refusal)
        return _page(request, form, 400)
    if made.signing_secret:
        return _secret(request, made, made.signing_secret)
    messages.success(request, _("The source {name} is made.").format(name=made))
    return redirect("source", made.pk)


@allow("source.edit")
def source(request: HttpRequest, pk: int) -> HttpResponse:
    """One source, to be changed; its name stays, because keys and files are bound to it."""
    found = _found(request, pk)
    if request.method != "POST":
        return _page(request, SourceForm(instance=found))
    form = SourceForm(request.POST, instance=found)
    if not form.is_valid():
        return _page(request, form, 400)
    if request.POST.get("do") == "try":
        return _tried(request, form)
    try:
        change_source(by=request.user, source=found, secrets=form.secrets, **form.fields_said)
    except Refused as refusal:
        form.refused(refusal)
        return _page(request, form, 400)
    messages.success(request, _("{name}: changed.").format(name=found))
    return redirect("source", pk)


@allow("source.edit")
def document(request: HttpRequest) -> HttpResponse:
    """Make or change a source by its document."""
    if request.method != "POST":
        return _document(request, EXAMPLE)
    file = request.FILES.get("file")
    read = file.read(source_documents.MOST + 1) if file else b""
    text = read.decode("utf-8", "replace") or request.POST.get("yaml", "")
    try:
        made, new = load_document(by=request.user, text=text)
    except Refused as refusal:
        return _document(request, text, refusal)
    if made.signing_secret:
        return _secret(request, made, made.signing_secret)
    said = _("The source {name} is made.") if new else _("{name}: changed.")
    messages.success(request, said.format(name=made))
    return redirect("source", made.pk)


@allow("source.edit", methods=("POST",))
def secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret for a source of webhooks, shown this once."""
    found = _found(request, pk)
    try:
        fresh = hooks.rotate(by=request.user, source=found)
    except Refused as refusal:
        return _page(request, SourceForm(instance=found), 409, refusal=refusal)
    return _secret(request, found, fresh)


@allow("source.edit", methods=("POST",))
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether its broker is reached, step by step; for webhooks, a sample to sign."""
    found = _found(request, pk)
    steps = try_connection(by=request.user, source=found)
    sample = signed_sample(found, _address(request, found))
    return _page(request, SourceForm(instance=found), steps=steps, signing=sample)


def _secret(request: HttpRequest, found: Source, secret: str) -> HttpResponse:
    context = {"source": found, "secret": secret, "address": _address(request, found)}
    return render(request, "scoring/source_secret.html", context)


def _address(request: HttpRequest, found: Source) -> str:
    return request.build_absolute_uri(reverse("hook", args=[found.name]))


@allow("source.view", methods=("GET", "HEAD"))
def as_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The source as YAML, to keep beside the code of whoever sends."""
    found = _found(request, pk)
    answer = HttpResponse(source_documents.write(found), content_type="application/yaml")
    answer["Content-Disposition"] = f'attachment; filename="{found.name}.yaml"'
    return answer


def _found(request: HttpRequest, pk: int) -> Source:
    """With `last`, so that it is known when its files came."""
    seen = Source.objects.visible_to(request.user).annotate(last=Max("upload__created_at"))
    return get_object_or_404(seen, pk=pk)


def _tried(request: HttpRequest, form: SourceForm) -> HttpResponse:
    """The page with what the sample would give; the form keeps what was typed."""
    file = request.FILES.get("sample_file")
    sent = file.read(MOST_CHARACTERS + 1).decode("utf-8", "replace") if file else ""
    sample = sent or request.POST.get("sample", "")
    try:
        tried = try_sample(form.proposed(), sample)
    except Refused as refusal:
        return _page(request, form, 400, sample=sample, refusal=refusal)
    return _page(request, form, sample=sample[:20_000], tried=tried)


def _page(
    request: HttpRequest,
    form: SourceForm,
    status: int = 200,
    *,
    sample: str = "",
    tried: Tried | None = None,
    refusal: Refused | None = None,
    **more: Any,
) -> HttpResponse:
    shown = form.instance if form.instance.pk else None
    context = {
        "source": shown,
        "form": form,
        "kinds": WORDS,
        "grants": request.user.may("user.manage"),
        "sample": sample,
        "tried": tried,
        "refusal": refusal,
        "versions": _versions(shown) if shown else [],
        "unmarking": shown.unmarkings.waiting().told().first() if shown else None,
        "health": health_of(shown) if shown else None,
        "lost": shown is not None and not openable(shown),
        "address": _address(request, shown) if shown and shown.kind == Source.Kind.WEBHOOK else "",
    }
    return render(request, "scoring/source.html", context | more, status=status)


def _document(request: HttpRequest, text: str, refusal: Refused | None = None) -> HttpResponse:
    context = {"yaml": text[: source_documents.MOST], "refusal": refusal}
    status = 400 if refusal else 200
    return render(request, "scoring/source_document.html", context, status=status)


def _versions(found: Source) -> list[dict[str, Any]]:
    """The last versions with what each changed: field, before, after."""
    kept = list(found.versions.all()[: SHOWN_VERSIONS + 1])
    earlier = {one.number: one.values for one in kept}
    return [
        {"version": one, "changes": _changes(one, earlier.get(one.number - 1, {}))}
        for one in kept[:SHOWN_VERSIONS]
    ]


def _changes(one: SourceVersion, before: dict[str, Any]) -> list[tuple[str, str, str]]:
    """A secret is named and neither of its values told."""
    told = []
    for name in one.changed:
        if name.startswith("secret:"):
            told.append((name.removeprefix("secret:"), "", ""))
        else:
            told.append((name, _short(before.get(name)), _short(one.values.get(name))))
    return told


def _short(value: Any) -> str:
    if value in (None, "", {}, []):
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"

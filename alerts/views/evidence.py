"""Everything one alert was judged by, as a file to hand on."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

from alerts import evidence as documents
from alerts.models import Alert
from alerts.views.alert_page import find
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record


@allow("report.export", methods=("GET",))
def as_json(request: HttpRequest, pk: int) -> HttpResponse:
    found = find(request, pk)
    told = taken(found, by=request.user, form="json")
    text = json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False)
    return _file(text.encode(), f"{found}.json", "application/json")


@allow("report.export", methods=("GET",))
def as_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    from alerts import evidence_pdf  # brings fonts and layout along: only when somebody asks

    found = find(request, pk)
    told = taken(found, by=request.user, form="pdf")
    return _file(evidence_pdf.as_pdf(told), f"{found}.pdf", "application/pdf")


def taken(found: Alert, *, by: Any, form: str) -> dict[str, Any]:
    """The document, and that somebody took it."""
    told = documents.evidence(found, by=by)
    record(by=by, action="data.exported", object=found, after={"evidence": form})
    return told


def _file(content: bytes, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer

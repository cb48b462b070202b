"""How far verdicts agree: the page, and its figures as a file."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from alerts import agreement
from alerts.agreement_file import days_of, file_of
from alerts.guards import leads
from anomalyshield.accounts.permissions import allow
from anomalyshield.exports import KINDS


@allow("review.view", methods=("GET",))
def agreed(request: HttpRequest) -> HttpResponse:
    days = days_of(request.GET.get("days", ""))
    context = {
        "figures": agreement.figures(request.user, days),
        "days": days,
        "spans": agreement.DAYS,
        "least": agreement.LEAST,
        "kinds": KINDS,
        "leads": leads(request.user),
        "here": "agreement",
    }
    return render(request, "alerts/agreement.html", context)


@allow("review.view", methods=("GET", "HEAD"))
def file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The same figures as CSV or XLSX, which leaves a trace."""
    return file_of(request.user, kind, days_of(request.GET.get("days", "")))

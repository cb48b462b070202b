"""How far verdicts agree: the page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from alerts import agreement
from alerts.guards import leads
from anomalyshield.accounts.permissions import allow


@allow("review.view", methods=("GET",))
def agreed(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, agreement.DAYS) else 90
    context = {
        "figures": agreement.figures(request.user, days),
        "days": days,
        "spans": agreement.DAYS,
        "least": agreement.LEAST,
        "leads": leads(request.user),
        "here": "agreement",
    }
    return render(request, "alerts/agreement.html", context)

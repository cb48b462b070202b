"""Where labels come from, and how much of each week is known: the page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anomalyshield.accounts.permissions import allow
from scoring.label_facts import Facts, facts
from scoring.maturitychart import maturity
from scoring.models import Label


@allow("review.view", methods=("GET",))
def labels(request: HttpRequest) -> HttpResponse:
    found = facts()
    context = {
        "facts": found,
        "rows": _rows(found),
        "names": {origin: Label.Origin(origin).label for origin in found.origins},
        "delays": [(Label.Origin(one.origin).label, one) for one in found.delays],
        "chart": maturity(found.curve, found.maturity_days),
        "longest": found.curve[-1][0] if found.curve else 0,
        "here": "labels",
    }
    return render(request, "scoring/labels.html", context)


def _rows(found: Facts) -> list[tuple[object, list[int]]]:
    """Each week with its labels by source, in the order of the table's columns."""
    return [
        (week, [week.by_origin.get(origin, 0) for origin in found.origins]) for week in found.weeks
    ]

"""The rules page: what each rule asks, its thresholds in force, and how often it fired."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from anomalyshield.accounts.permissions import allow
from scoring import policies


@allow("rules.view", methods=("GET", "HEAD"))
def rules(request: HttpRequest) -> HttpResponse:
    policy = policies.active()
    context = {"policy": policy, "rules": policies.rules(policy), "cuts": policies.cuts(policy)}
    return render(request, "scoring/rules.html", context)

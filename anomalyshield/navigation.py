"""What stands in the side bar: a plain list, shown as far as the person may go there."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from anomalyshield.context import zone


@dataclass(frozen=True)
class Item:
    """One link: where it goes, what it says, which action it needs, under which heading."""

    url_name: str
    title: str
    action: str
    heading: str = ""


ITEMS = [
    Item("home", "Home", "session.own"),
    Item("alerts", "Alert queue", "alert.view"),
    Item("cases", "Cases", "case.view"),
    Item("analytics", "Analytics", "analytics.view"),
    Item("transactions", "Transactions", "transaction.view"),
    Item("reviews", "Reviews", "review.view"),
    Item("corrections", "Label corrections", "label.change"),
    Item("lists", "Allow and deny", "list.view"),
    Item("try", "Score a transaction", "score.write"),
    Item("routes", "Routes", "route.view"),
    Item("uploads", "Files", "upload.own", "Data"),
    Item("sources", "Sources", "source.view", "Data"),
    Item("models", "Models", "model.view", "Models"),
    Item("features", "Features", "feature.view", "Models"),
    Item("rules", "Rules", "rules.view", "Models"),
    Item("costs", "Costs", "cost.view", "Models"),
    Item("users", "Users", "user.manage", "Administration"),
    Item("keys", "API keys", "key.manage", "Administration"),
    Item("endpoints", "Webhooks", "endpoint.manage", "Administration"),
    Item("system", "System health", "health.deep", "Administration"),
    Item("audit", "Audit log", "audit.own", "Records"),
    Item("permissions", "Roles and rights", "session.own", "Records"),
]
BANNERS = [
    ("FOUR_EYES", False, "One-person installation: approvals by a second person are switched off."),
    ("OPEN_SCORING", True, "Open scoring: anyone on this machine can have transactions scored."),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The groups of links for this person, the one they are in marked, and standing warnings."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": []}
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in ITEMS:
        if user.may(item.action) and (address := address_of(item.url_name)):
            groups.setdefault(item.heading, []).append(
                {"title": item.title, "address": address, "here": _here(request.path, address)}
            )
    banners = [words for name, when, words in BANNERS if getattr(settings, name) is when]
    return {"navigation": list(groups.items()), "banners": banners, "zone": zone()}


def address_of(name: str, *args: Any) -> str:
    """The address of a page by its name; empty when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _here(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(address))

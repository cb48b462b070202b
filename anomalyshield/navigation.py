"""What stands in the side bar: a plain list, shown as far as the person may go there."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Item:
    """One link: where it goes, what it says, which action it needs, under which heading."""

    url_name: str
    title: str
    action: str
    heading: str = ""


ITEMS = [
    Item("home", "Dashboard", "session.own"),
    Item("alerts", "Alert queue", "alert.view"),
    Item("cases", "Cases", "case.view"),
    Item("transactions", "Transactions", "transaction.view"),
    Item("uploads", "Uploads", "upload.own", "Engineering"),
    Item("sources", "Sources", "source.view", "Engineering"),
    Item("models", "Models", "model.view", "Models"),
    Item("rules", "Rules", "rules.view", "Models"),
    Item("users", "Users", "user.manage", "Administration"),
    Item("keys", "API keys", "key.manage", "Administration"),
    Item("audit", "Audit log", "audit.own", "Administration"),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The groups of links for this person, with the one they are in marked."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": []}
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in ITEMS:
        if user.may(item.action) and (address := _address(item.url_name)):
            here = request.path == address or (address != "/" and request.path.startswith(address))
            groups.setdefault(item.heading, []).append(
                {"title": item.title, "address": address, "here": here}
            )
    return {"navigation": list(groups.items())}


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""

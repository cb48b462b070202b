"""What stands in the side bar: a plain list, shown as far as the person may go there."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from anomalyshield.context import zone


@dataclass(frozen=True)
class Item:
    """One link: where it goes, what it says, which action it needs, under which heading."""

    url_name: str
    title: str
    action: str
    heading: str = ""


ITEMS = [
    Item("home", _("Home"), "session.own"),
    Item("alerts", _("Alert queue"), "alert.view"),
    Item("cases", _("Cases"), "case.view"),
    Item("analytics", _("Analytics"), "analytics.view"),
    Item("transactions", _("Transactions"), "transaction.view"),
    Item("reviews", _("Reviews"), "review.view"),
    Item("corrections", _("Label corrections"), "label.change"),
    Item("lists", _("Allow and deny"), "list.view"),
    Item("try", _("Score a transaction"), "score.write"),
    Item("routes", _("Routes"), "route.view"),
    Item("uploads", _("Files"), "upload.own", _("Data")),
    Item("notices", _("Chargebacks"), "events.write", _("Data")),
    Item("sources", _("Sources"), "source.view", _("Data")),
    Item("models", _("Models"), "model.view", _("Models")),
    Item("features", _("Features"), "feature.view", _("Models")),
    Item("rules", _("Rules"), "rules.view", _("Models")),
    Item("costs", _("Costs"), "cost.view", _("Models")),
    Item("users", _("Users"), "user.manage", _("Administration")),
    Item("keys", _("API keys"), "key.manage", _("Administration")),
    Item("endpoints", _("Webhooks"), "endpoint.manage", _("Administration")),
    Item("system", _("System health"), "health.deep", _("Administration")),
    Item("audit", _("Audit log"), "audit.own", _("Records")),
    Item("permissions", _("Roles and rights"), "session.own", _("Records")),
]
# Pages within those, which the palette leads to as well.
WITHIN = [
    Item("case-board", _("Board of cases"), "case.view", _("Cases")),
    Item("suppressions", _("Suppressions"), "alert.view", _("Alert queue")),
    Item("playbooks", _("Playbooks"), "alert.view", _("Alert queue")),
    Item("alert-views", _("Saved views"), "session.own", _("Alert queue")),
    Item("samples", _("Below the line"), "review.view", _("Reviews")),
    Item("questions", _("The model asks"), "review.view", _("Reviews")),
    Item("agreement", _("Agreement"), "review.view", _("Reviews")),
    Item("label-facts", _("Labels"), "review.view", _("Reviews")),
    Item("reports", _("Reports by e-mail"), "report.schedule", _("Analytics")),
    Item("quarantine", _("Quarantine"), "quarantine.work", _("Data")),
    Item("rates", _("Exchange rates"), "source.edit", _("Data")),
    Item("pipelines", _("Feature pipelines"), "feature.view", _("Models")),
    Item("case-terms", _("Terms of cases"), "user.manage", _("Administration")),
    Item("case-calendars", _("Calendars"), "user.manage", _("Administration")),
    Item("profile", _("Profile, time zone, keys"), "session.own"),
    Item("sessions", _("Where I am logged in"), "session.own"),
]
BANNERS = [
    (
        "FOUR_EYES",
        False,
        _("One-person installation: approvals by a second person are switched off."),
    ),
    ("OPEN_SCORING", True, _("Open scoring: anyone on this machine can have transactions scored.")),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """The groups of links for this person, the one they are in marked, and standing warnings."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"navigation": []}
    groups: dict[str, list[dict[str, Any]]] = {}
    for item, address in _open_to(user, ITEMS):
        groups.setdefault(item.heading, []).append(
            {"title": item.title, "address": address, "here": _here(request.path, address)}
        )
    banners = [words for name, when, words in BANNERS if getattr(settings, name) is when]
    return {
        "navigation": list(groups.items()),
        "within": _open_to(user, WITHIN),
        "banners": banners,
        "zone": zone(),
    }


def _open_to(user: Any, items: list[Item]) -> list[tuple[Item, str]]:
    """Those this person may open and this installation has, with their addresses."""
    found = [(item, address_of(item.url_name)) for item in items if user.may(item.action)]
    return [(item, address) for item, address in found if address]


def address_of(name: str, *args: Any) -> str:
    """The address of a page by its name; empty when this installation does not have it."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _here(path: str, address: str) -> bool:
    return path == address or (address != "/" and path.startswith(address))

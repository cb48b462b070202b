"""Who may do what: one table, which seeds the groups, guards the views, is shown and is tested."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

ANALYST, ENGINEER, OWNER, ADMIN = "analyst", "engineer", "owner", "admin"
TITLES = {
    ANALYST: _("Analyst"),
    ENGINEER: _("Data engineer"),
    OWNER: _("Model owner"),
    ADMIN: _("Admin"),
}
DUTIES = {
    ANALYST: _("Decides alerts of their queues, investigates cases, labels"),
    ENGINEER: _("Brings data in: sources, files, rejected records"),
    OWNER: _("Trains, compares, promotes and rolls back models; activates policies"),
    ADMIN: _("Manages people, keys and settings; reads the whole audit log"),
}
EVERYONE = frozenset(TITLES)
PUBLIC = "public"


@dataclass(frozen=True)
class Action:
    """One thing that can be done here, and by whom; `condition` is what the verb checks further."""

    name: str
    roles: frozenset[str]
    meaning: str
    condition: str = ""
    scopes: frozenset[str] = frozenset()


SCORE, EVENTS, READ = "score:write", "events:write", "read:alerts"
KEYS = frozenset({SCORE, EVENTS, READ})
ADMINS, OWNERS = frozenset({ADMIN}), frozenset({OWNER})
DATA, WORK = frozenset({ENGINEER, ADMIN}), frozenset({ANALYST, ADMIN})
POLICY = frozenset({OWNER, ADMIN})
TWO = _("a second person approves")
OWN = _("analysts: their own queues")
KEPT = _("engineers: sources granted to them")
MASKED = format_lazy("{own}; {masked}", own=OWN, masked=_("masked for others"))

# Reliability section 6. This is the first gate; conditions are the verb's business.
TABLE = [
    Action("session.own", EVERYONE, _("Log in, change the own password")),
    Action("docs.read", EVERYONE, _("Read the manual of the API"), scopes=KEYS),
    Action("health.deep", ADMINS, _("See how the platform is, in detail")),
    Action("metrics.read", ADMINS, _("Read the metrics"), _("or the scrape token")),
    Action("score.write", EVERYONE, _("Have transactions scored"), scopes=frozenset({SCORE})),
    Action("events.write", DATA, _("Send events and files by the API"), scopes=frozenset({EVENTS})),
    Action("upload.batch", EVERYONE, _("Upload a file for analysis")),
    Action(
        "upload.own",
        EVERYONE,
        _("See uploads and their results"),
        format_lazy("{own}; {kept}", own=_("own"), kept=KEPT),
    ),
    Action("alert.view", EVERYONE, _("See alerts"), MASKED, frozenset({READ})),
    Action("alert.work", WORK, _("Claim, comment and escalate alerts"), OWN),
    Action("alert.lead", WORK, _("Reassign others' alerts, act in bulk"), _("lead flag")),
    Action("route.view", EVERYONE, _("See which alerts go to which queue")),
    Action("route.edit", WORK, _("Draft routes and try them on past alerts"), _("lead flag")),
    Action(
        "route.activate",
        WORK,
        _("Put routes into force"),
        format_lazy("{lead}; {two}", lead=_("lead flag"), two=TWO),
    ),
    Action("label.write", frozenset({ANALYST}), _("Say what a transaction was"), OWN),
    Action(
        "label.change",
        WORK,
        _("Correct a label"),
        format_lazy(_("own, 15 minutes; then {two}"), two=TWO),
    ),
    Action(
        "review.work",
        frozenset({ANALYST}),
        _("Look at verdicts again, blind"),
        _("never one's own"),
    ),
    Action("review.view", WORK | OWNERS, _("See how far verdicts agree, and labels by source")),
    Action("review.ask", WORK | OWNERS, _("Ask people about a payment for a model")),
    Action(
        "case.view",
        WORK,
        _("See cases"),
        format_lazy(_("{own}; restricted ones: who is named"), own=OWN),
    ),
    Action("case.work", WORK, _("Open and work cases"), OWN),
    Action("case.close", WORK, _("Close and reopen cases, approve openings"), TWO),
    Action("pii.unmask", WORK, _("See personal data unmasked"), _("personal right, with a reason")),
    Action("analytics.view", EVERYONE, _("See figures of what happened"), OWN),
    Action("report.schedule", EVERYONE, _("Have figures sent by e-mail"), "own"),
    Action("report.export", EVERYONE, _("Download tables of figures"), "masked"),
    Action("transaction.view", EVERYONE, _("Search transactions"), MASKED, frozenset({READ})),
    Action("source.view", DATA, _("See sources"), KEPT),
    Action("source.edit", DATA, _("Make and edit sources"), KEPT),
    Action("source.unmark", DATA, _("Say that a field is personal no longer"), TWO),
    Action("quarantine.work", DATA, _("Repair and replay rejected records")),
    Action("rules.view", EVERYONE, _("See the rules and the decision policy")),
    Action("rules.edit", frozenset({ENGINEER, OWNER, ADMIN}), _("Draft rules and policies")),
    Action("policy.activate", POLICY, _("Put a policy into force"), TWO),
    Action("cost.view", EVERYONE, _("See what fraud and the work against it cost here")),
    Action("cost.edit", POLICY, _("Ask for another cost model")),
    Action("cost.activate", POLICY, _("Put a cost model into force"), TWO),
    Action("list.view", EVERYONE, _("See the allow and deny lists"), _("masked for others")),
    Action(
        "list.edit",
        WORK,
        _("Put on the lists and end entries"),
        format_lazy(_("allow: {two}"), two=TWO),
    ),
    Action("list.approve", WORK, _("Approve an allow entry"), _("lead flag; never one's own")),
    Action("model.view", EVERYONE, _("See models and their figures")),
    Action("model.train", OWNERS, _("Train a model")),
    Action("model.promote", OWNERS, _("Make a model the champion"), TWO),
    Action("model.rollback", POLICY, _("Go back to the champion before")),
    Action("model.download", OWNERS, _("Download a model")),
    Action("feature.view", EVERYONE, _("See features, their owners and pipelines")),
    Action(
        "pipeline.edit", frozenset({ENGINEER, OWNER}), _("Draft feature pipelines, own features")
    ),
    Action("pipeline.activate", OWNERS, _("Have the next trainings use a pipeline")),
    Action("user.manage", ADMINS, _("Manage people and their roles"), _("never one's own")),
    Action(
        "key.manage",
        DATA,
        _("Make and revoke API keys"),
        format_lazy(_("engineers: {events} only"), events=EVENTS),
    ),
    Action("endpoint.manage", ADMINS, _("Tell upstream systems by webhooks")),
    Action("audit.own", EVERYONE, _("Read the own actions in the audit log")),
    Action("audit.all", ADMINS, _("Read the whole audit log")),
]
ACTIONS: dict[str, frozenset[str]] = {action.name: action.roles for action in TABLE}
# What a machine's key may do, by the scopes it was given.
SCOPES: dict[str, frozenset[str]] = {
    scope: frozenset(action.name for action in TABLE if scope in action.scopes)
    for scope in (SCORE, EVENTS, READ)
}


def actions_of(roles: set[str]) -> frozenset[str]:
    """Everything these roles may do together."""
    return frozenset(action for action, allowed in ACTIONS.items() if allowed & roles)


def actions_of_scopes(scopes: list[str]) -> frozenset[str]:
    return frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def write_groups(**_: object) -> None:
    """One group per role, after every migrate."""
    for role in TITLES:
        Group.objects.get_or_create(name=role)

"""Who may do what: one table, which seeds the groups, guards the views, is shown and is tested."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

ANALYST, ENGINEER, OWNER, ADMIN = "analyst", "engineer", "owner", "admin"
TITLES = {
    ANALYST: "Analyst",
    ENGINEER: "Data engineer",
    OWNER: "Model owner",
    ADMIN: "Admin",
}
DUTIES = {
    ANALYST: "Decides alerts of their queues, investigates cases, labels",
    ENGINEER: "Brings data in: sources, files, rejected records",
    OWNER: "Trains, compares, promotes and rolls back models; activates policies",
    ADMIN: "Manages people, keys and settings; reads the whole audit log",
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
TWO = "a second person approves"
OWN = "analysts: their own queues"
KEPT = "engineers: sources granted to them"
MASKED = f"{OWN}; masked for others"

# Reliability section 6. This is the first gate; conditions are the verb's business.
TABLE = [
    Action("session.own", EVERYONE, "Log in, change the own password"),
    Action("docs.read", EVERYONE, "Read the manual of the API", scopes=KEYS),
    Action("health.deep", ADMINS, "See how the platform is, in detail"),
    Action("metrics.read", ADMINS, "Read the metrics", "or the scrape token"),
    Action("score.write", EVERYONE, "Have transactions scored", scopes=frozenset({SCORE})),
    Action("events.write", DATA, "Send events and files by the API", scopes=frozenset({EVENTS})),
    Action("upload.batch", EVERYONE, "Upload a file for analysis"),
    Action("upload.own", EVERYONE, "See uploads and their results", f"own; {KEPT}"),
    Action("alert.view", EVERYONE, "See alerts", MASKED, frozenset({READ})),
    Action("alert.work", WORK, "Claim, comment and escalate alerts", OWN),
    Action("alert.lead", WORK, "Reassign others' alerts, act in bulk", "lead flag"),
    Action("route.view", EVERYONE, "See which alerts go to which queue"),
    Action("route.edit", WORK, "Draft routes and try them on past alerts", "lead flag"),
    Action("route.activate", WORK, "Put routes into force", f"lead flag; {TWO}"),
    Action("label.write", frozenset({ANALYST}), "Say what a transaction was", OWN),
    Action("label.change", WORK, "Correct a label", f"own, 15 minutes; then {TWO}"),
    Action("review.work", frozenset({ANALYST}), "Look at verdicts again, blind", "never one's own"),
    Action("review.view", WORK | OWNERS, "See how far verdicts agree, and labels by source"),
    Action("review.ask", WORK | OWNERS, "Ask people about a payment for a model"),
    Action("case.view", WORK, "See cases", f"{OWN}; restricted ones: who is named"),
    Action("case.work", WORK, "Open and work cases", OWN),
    Action("case.close", WORK, "Close and reopen cases, approve openings", TWO),
    Action("pii.unmask", WORK, "See personal data unmasked", "personal right, with a reason"),
    Action("analytics.view", EVERYONE, "See figures of what happened", OWN),
    Action("report.schedule", EVERYONE, "Have figures sent by e-mail", "own"),
    Action("report.export", EVERYONE, "Download tables of figures", "masked"),
    Action("transaction.view", EVERYONE, "Search transactions", MASKED, frozenset({READ})),
    Action("source.view", DATA, "See sources", KEPT),
    Action("source.edit", DATA, "Make and edit sources", KEPT),
    Action("quarantine.work", DATA, "Repair and replay rejected records"),
    Action("rules.view", EVERYONE, "See the rules and the decision policy"),
    Action("rules.edit", frozenset({ENGINEER, OWNER, ADMIN}), "Draft rules and policies"),
    Action("policy.activate", POLICY, "Put a policy into force", TWO),
    Action("cost.view", EVERYONE, "See what fraud and the work against it cost here"),
    Action("cost.edit", POLICY, "Ask for another cost model"),
    Action("cost.activate", POLICY, "Put a cost model into force", TWO),
    Action("list.view", EVERYONE, "See the allow and deny lists", "masked for others"),
    Action("list.edit", WORK, "Put on the lists and end entries", f"allow: {TWO}"),
    Action("list.approve", WORK, "Approve an allow entry", "lead flag; never one's own"),
    Action("model.view", EVERYONE, "See models and their figures"),
    Action("model.train", OWNERS, "Train a model"),
    Action("model.promote", OWNERS, "Make a model the champion", TWO),
    Action("model.rollback", POLICY, "Go back to the champion before"),
    Action("model.download", OWNERS, "Download a model"),
    Action("feature.view", EVERYONE, "See features, their owners and pipelines"),
    Action("pipeline.edit", frozenset({ENGINEER, OWNER}), "Draft feature pipelines, own features"),
    Action("pipeline.activate", OWNERS, "Have the next trainings use a pipeline"),
    Action("user.manage", ADMINS, "Manage people and their roles", "never one's own"),
    Action("key.manage", DATA, "Make and revoke API keys", f"engineers: {EVENTS} only"),
    Action("endpoint.manage", ADMINS, "Tell upstream systems by webhooks"),
    Action("audit.own", EVERYONE, "Read the own actions in the audit log"),
    Action("audit.all", ADMINS, "Read the whole audit log"),
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

"""Who may do what: one table, which seeds the groups, guards the views and generates the tests."""

from django.contrib.auth.models import Group

ANALYST, ENGINEER, OWNER, ADMIN = "analyst", "engineer", "owner", "admin"
TITLES = {
    ANALYST: "Analyst",
    ENGINEER: "Data engineer",
    OWNER: "Model owner",
    ADMIN: "Admin",
}
EVERYONE = frozenset(TITLES)
PUBLIC = "public"

# Reliability section 6, row by row. Conditions beyond the role (own queue, lead flag, a second
# person) are the verb's business; this table is the first gate.
ACTIONS: dict[str, frozenset[str]] = {
    "session.own": EVERYONE,
    "docs.read": EVERYONE,
    "health.deep": frozenset({ADMIN}),
    "metrics.read": frozenset({ADMIN}),
    "score.write": EVERYONE,
    "events.write": frozenset({ENGINEER, ADMIN}),
    "upload.batch": EVERYONE,
    "upload.own": EVERYONE,
    "alert.view": EVERYONE,
    "alert.work": frozenset({ANALYST, ADMIN}),
    "alert.lead": frozenset({ANALYST, ADMIN}),
    "label.write": frozenset({ANALYST}),
    "label.change": frozenset({ANALYST, ADMIN}),
    "case.view": frozenset({ANALYST, ADMIN}),
    "case.work": frozenset({ANALYST, ADMIN}),
    "case.close": frozenset({ANALYST, ADMIN}),
    "pii.unmask": frozenset({ANALYST, ADMIN}),
    "report.export": EVERYONE,
    "transaction.view": EVERYONE,
    "source.view": frozenset({ENGINEER, ADMIN}),
    "source.edit": frozenset({ENGINEER, ADMIN}),
    "quarantine.work": frozenset({ENGINEER, ADMIN}),
    "rules.view": EVERYONE,
    "rules.edit": frozenset({ENGINEER, OWNER, ADMIN}),
    "policy.activate": frozenset({OWNER, ADMIN}),
    "model.view": EVERYONE,
    "model.train": frozenset({OWNER}),
    "model.promote": frozenset({OWNER}),
    "model.rollback": frozenset({OWNER, ADMIN}),
    "model.download": frozenset({OWNER}),
    "user.manage": frozenset({ADMIN}),
    "key.manage": frozenset({ENGINEER, ADMIN}),
    "audit.own": EVERYONE,
    "audit.all": frozenset({ADMIN}),
}

# What a machine's key may do, by the scopes it was given.
SCOPES: dict[str, frozenset[str]] = {
    "score:write": frozenset({"score.write", "docs.read"}),
    "events:write": frozenset({"events.write", "docs.read"}),
    "read:alerts": frozenset({"alert.view", "transaction.view", "docs.read"}),
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

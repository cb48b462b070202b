"""Every address × every principal, from the one table in `accounts/roles.py`.

An address whose view names no action, or which nobody listed in `permission_samples.py`, fails.
"""

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.roles import (
    ACTIONS,
    ADMIN,
    ANALYST,
    ENGINEER,
    OWNER,
    PUBLIC,
    SCOPES,
    TABLE,
    TITLES,
    actions_of_scopes,
)
from anomalyshield.audit.models import AuditEvent
from tests.conftest import client_of, person
from tests.permission_samples import SAMPLES, Sample

pytestmark = pytest.mark.django_db


def patterns(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    """Every address of the site, through all includes."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from patterns(entry)
        else:
            yield entry


PATTERNS = {pattern.name: pattern for pattern in patterns()}
NAMES = sorted(set(SAMPLES) & set(PATTERNS))


def action_of(name: str) -> str | None:
    """What the view behind an address says it is: per method, else for all of it."""
    callback = PATTERNS[name].callback
    view = getattr(callback, "cls", callback)  # DRF keeps the class there
    by_method = getattr(view, "actions", None) or {}
    return by_method.get(SAMPLES[name].method.upper()) or getattr(view, "action", None)


def ask(client: Client, name: str, **more: object) -> HttpResponse:
    sample = SAMPLES[name]
    return getattr(client, sample.method)(reverse(name, kwargs=sample.args), **more)


def denials(actor: str) -> int:
    return AuditEvent.objects.filter(actor=actor, outcome="DENIED").count()


def is_sent_to_log_in(answer: HttpResponse, sample: Sample) -> bool:
    if sample.api:
        return answer.status_code == 401
    return answer.status_code == 302 and answer["Location"].startswith("/accounts/login/?next=")


def is_let_through(answer: HttpResponse) -> bool:
    """Past the gate; that the object asked about does not exist is another matter."""
    to_log_in = answer.get("Location", "").startswith("/accounts/login/?next=")
    return answer.status_code not in {401, 403, 405, 500} and not to_log_in


def machine(scope: str) -> tuple[str, str]:
    """The name a key has on the trail, and the key."""
    made, key = keys.make_key(by=person("adam", "admin"), name="machine", scopes=[scope])
    forget_keys()
    return f"key:{made.prefix}", key


# --- the table and the site know each other -------------------------------------------------------
def test_every_address_has_a_name() -> None:
    assert [str(pattern.pattern) for pattern in patterns() if not pattern.name] == []


def test_every_address_is_listed_in_permission_samples() -> None:
    assert sorted(set(PATTERNS) - set(SAMPLES)) == []


def test_every_listed_address_still_exists() -> None:
    assert sorted(set(SAMPLES) - set(PATTERNS)) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_view_names_an_action_of_the_table(name: str) -> None:
    assert action_of(name) in {PUBLIC, *ACTIONS}


def test_few_doors_are_open_to_everyone_and_these_are_they() -> None:
    assert {name for name in NAMES if action_of(name) == PUBLIC} == {
        "health", "health-ready", "account_login", "account_logout",
        "token", "token-refresh", "token-logout",
    }  # fmt: skip


def test_duties_that_must_not_meet_in_one_role_do_not() -> None:
    """Written out again on purpose: a slip in the table changes the gates and the grid alike."""
    assert {"model.train", "model.promote", "label.write"}.isdisjoint(_may(ADMIN))
    assert {"label.write", "alert.work", "case.view", "user.manage", "key.manage"}.isdisjoint(
        _may(OWNER)
    )
    assert {"model.view", "model.promote", "label.write", "user.manage"} & _may(ENGINEER) == {
        "model.view"
    }
    assert {"user.manage", "key.manage", "audit.all", "model.promote", "source.edit"}.isdisjoint(
        _may(ANALYST)
    )
    assert all(action.roles <= set(TITLES) and action.roles for action in TABLE)


def _may(role: str) -> set[str]:
    return {action for action, roles in ACTIONS.items() if role in roles}


# --- the grid -------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", sorted(TITLES))
@pytest.mark.parametrize("name", NAMES)
def test_a_role_gets_exactly_what_the_table_says(name: str, role: str) -> None:
    action = action_of(name)
    answer = ask(client_of(person("someone", role)), name)
    if action == PUBLIC or role in ACTIONS[action]:
        assert is_let_through(answer)
        assert denials("someone") == 0
    else:
        assert answer.status_code == 403
        assert denials("someone") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_gets_only_what_is_public(name: str) -> None:
    answer = ask(Client(), name)
    if action_of(name) == PUBLIC:
        assert answer.status_code not in {401, 403, 405, 500}
    else:
        assert is_sent_to_log_in(answer, SAMPLES[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_suspended_user_gets_no_more_than_a_stranger(name: str) -> None:
    client = client_of(user := person("someone", "admin"))
    user.is_active = False
    user.save()
    answer = ask(client, name)
    if action_of(name) != PUBLIC:
        assert is_sent_to_log_in(answer, SAMPLES[name])


@pytest.mark.parametrize("name", NAMES)
def test_someone_without_a_role_gets_only_what_is_public(name: str) -> None:
    user = person("someone", "analyst")
    user.groups.clear()
    answer = ask(client_of(user), name)
    if action_of(name) != PUBLIC:
        assert answer.status_code == 403


@pytest.mark.parametrize("scope", sorted(SCOPES))
@pytest.mark.parametrize("name", [name for name in NAMES if action_of(name) != PUBLIC])
def test_a_key_gets_exactly_what_its_scope_says(name: str, scope: str) -> None:
    actor, key = machine(scope)
    answer = ask(Client(), name, headers={"X-Api-Key": key})
    if not SAMPLES[name].keys:
        assert is_sent_to_log_in(answer, SAMPLES[name])  # pages are for people
    elif action_of(name) in actions_of_scopes([scope]):
        assert is_let_through(answer)
    else:
        assert answer.status_code == 403
        assert denials(actor) == 1


def test_two_roles_together_may_what_either_may() -> None:
    user = person("someone", "engineer")
    user.groups.add(*person("other", "owner").groups.all())
    assert user.may("source.edit")
    assert user.may("model.promote")
    assert not user.may("label.write")


def test_the_page_of_rights_shows_the_table(client: Client) -> None:
    client.force_login(person("someone", "owner"))
    page = client.get("/permissions/").content.decode()
    for action in TABLE:
        assert action.meaning.replace("'", "&#x27;") in page

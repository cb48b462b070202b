"""Every address × every principal, from the one table in `accounts/roles.py`.

An address whose view names no action, or which nobody listed in `permission_samples.py`, fails.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from django.db import transaction
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
from scoring import current
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
FOR_KEYS = [name for name in NAMES if SAMPLES[name].keys]


def action_of(name: str) -> str | None:
    """What the view behind an address says it is: per method, else for all of it."""
    callback = PATTERNS[name].callback
    view = getattr(callback, "cls", callback)  # DRF keeps the class there
    by_method = getattr(view, "actions", None) or {}
    return by_method.get(SAMPLES[name].method.upper()) or getattr(view, "action", None)


@dataclass(frozen=True)
class Asked:
    """An address, what the table says of it, and what came of asking."""

    name: str
    sample: Sample
    action: str
    answer: HttpResponse
    denials: int  # that this left on the trail

    def __str__(self) -> str:
        return f"{self.name}: {self.answer.status_code}, {self.denials} on the trail"


def walk(
    client: Client, actor: str = "", names: Iterable[str] = NAMES, **more: object
) -> Iterator[Asked]:
    """Every address asked by one principal, each as if nothing had been asked before it.

    What one request does is taken back before the next, in the database and among the cookies:
    one log-in serves them all, which is ten times as quick as one test for each.
    """
    cookies = dict(client.cookies)
    for name in names:
        sample, before = SAMPLES[name], denials(actor)
        place = transaction.savepoint()
        address = reverse(name, kwargs=sample.args)
        answer = getattr(client, sample.method)(address, **more)
        left = denials(actor) - before
        transaction.savepoint_rollback(place)
        client.cookies.clear()
        client.cookies.update(cookies)
        current.forget()
        assert answer.status_code != 429, f"{name}: the walk was too quick for a limit"
        yield Asked(name, sample, action_of(name) or "", answer, left)


def denials(actor: str) -> int:
    return AuditEvent.objects.filter(actor=actor, outcome="DENIED").count()


def is_sent_to_log_in(one: Asked) -> bool:
    if one.sample.api:
        return one.answer.status_code == 401
    to_log_in = one.answer.get("Location", "").startswith("/accounts/login/?next=")
    return one.answer.status_code == 302 and to_log_in


def is_let_through(one: Asked) -> bool:
    """Past the gate; that the object asked about does not exist is another matter."""
    to_log_in = one.answer.get("Location", "").startswith("/accounts/login/?next=")
    passed = one.answer.status_code not in {401, 403, 405, 500} and not to_log_in
    return passed and one.denials == 0


def is_refused(one: Asked) -> bool:
    return one.answer.status_code == 403 and one.denials == 1


def machine(*scopes: str) -> tuple[str, str]:
    """The name a key has on the trail, and the key."""
    made, key = keys.make_key(by=person("adam", "admin"), name="machine", scopes=[*scopes])
    forget_keys()
    return f"key:{made.prefix}", key


# --- the table and the site know each other -------------------------------------------------------
def test_every_address_has_a_name() -> None:
    assert [str(pattern.pattern) for pattern in patterns() if not pattern.name] == []


def test_every_address_is_listed_in_permission_samples() -> None:
    assert sorted(set(PATTERNS) - set(SAMPLES)) == []


def test_every_listed_address_still_exists() -> None:
    assert sorted(set(SAMPLES) - set(PATTERNS)) == []


def test_every_view_names_an_action_of_the_table() -> None:
    assert [name for name in NAMES if action_of(name) not in {PUBLIC, *ACTIONS}] == []


def test_few_doors_are_open_to_everyone_and_these_are_they() -> None:
    assert {name for name in NAMES if action_of(name) == PUBLIC} == {
        "health", "health-ready", "account_login", "account_logout",
        "token", "token-refresh", "token-logout",
        "hook",  # what comes there is signed
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


# --- the grid: for each principal the addresses that answered otherwise than the table says -------
@pytest.mark.parametrize("role", sorted(TITLES))
def test_a_role_gets_exactly_what_the_table_says(role: str) -> None:
    def right(one: Asked) -> bool:
        may = one.action == PUBLIC or role in ACTIONS[one.action]
        return is_let_through(one) if may else is_refused(one)

    asked = list(walk(client_of(person("someone", role)), "someone"))
    assert len(asked) == len(NAMES)
    assert [str(one) for one in asked if not right(one)] == []


def test_a_stranger_gets_only_what_is_public() -> None:
    def right(one: Asked) -> bool:
        if one.action == PUBLIC:
            return one.answer.status_code not in {401, 403, 405, 500}
        return is_sent_to_log_in(one)

    assert [str(one) for one in walk(Client()) if not right(one)] == []


def test_a_suspended_user_gets_no_more_than_a_stranger() -> None:
    client = client_of(user := person("someone", "admin"))
    user.is_active = False
    user.save()
    closed = [one for one in walk(client, "someone") if one.action != PUBLIC]
    assert [str(one) for one in closed if not is_sent_to_log_in(one)] == []


def test_someone_without_a_role_gets_only_what_is_public() -> None:
    user = person("someone", "analyst")
    user.groups.clear()
    closed = [one for one in walk(client_of(user), "someone") if one.action != PUBLIC]
    assert [str(one) for one in closed if one.answer.status_code != 403] == []


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_key_gets_exactly_what_its_scope_says(scope: str) -> None:
    def right(one: Asked) -> bool:
        may = one.action in actions_of_scopes([scope])
        return is_let_through(one) if may else is_refused(one)

    actor, key = machine(scope)
    asked = list(walk(Client(), actor, FOR_KEYS, headers={"X-Api-Key": key}))
    closed = [one for one in asked if one.action != PUBLIC]
    assert len(closed) > 100
    assert [str(one) for one in closed if not right(one)] == []


def test_no_key_opens_what_is_for_people() -> None:
    """All scopes at once open no page: no view asks for one of them before it asks for a person."""
    actor, key = machine(*sorted(SCOPES))
    pages = [name for name in NAMES if name not in FOR_KEYS]
    asked = list(walk(Client(), actor, pages, headers={"X-Api-Key": key}))
    closed = [one for one in asked if one.action != PUBLIC]
    assert len(closed) > 100
    assert [str(one) for one in closed if not is_sent_to_log_in(one)] == []


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

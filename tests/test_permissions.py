"""Every address × every principal, from the one table in `accounts/roles.py`.

An address whose view names no action, or which nobody listed in `permission_samples.py`, fails.
"""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.roles import ACTIONS, PUBLIC, SCOPES, TITLES, actions_of_scopes
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


def action_of(pattern: URLPattern, method: str) -> str | None:
    view = getattr(pattern.callback, "cls", pattern.callback)  # DRF keeps the class there
    by_method = getattr(view, "actions", {})
    return by_method.get(method.upper()) or getattr(view, "action", None)


PATTERNS = {pattern.name: pattern for pattern in patterns()}
GRID = [(name, role) for name in sorted(SAMPLES) if name in PATTERNS for role in sorted(TITLES)]


def ask(client: Client, name: str, sample: Sample, **headers: str) -> int:
    address = reverse(name, kwargs=sample.args())
    return getattr(client, sample.method)(address, **headers).status_code


def test_every_address_is_named_and_listed() -> None:
    unnamed = [str(pattern.pattern) for pattern in patterns() if not pattern.name]
    assert not unnamed
    assert set(PATTERNS) - set(SAMPLES) == set(), "add these to tests/permission_samples.py"


def test_every_listed_address_still_exists() -> None:
    assert set(SAMPLES) - set(PATTERNS) == set()


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_every_view_names_an_action_of_the_table(name: str) -> None:
    action = action_of(PATTERNS[name], SAMPLES[name].method)
    assert action == PUBLIC or action in ACTIONS


@pytest.mark.parametrize("name,role", GRID)
def test_a_role_gets_exactly_what_the_table_says(name: str, role: str) -> None:
    sample = SAMPLES[name]
    action = action_of(PATTERNS[name], sample.method)
    status = ask(client_of(person("someone", role)), name, sample)
    if action == PUBLIC or role in ACTIONS[action]:
        assert status not in {401, 403, 405, 500}
    else:
        assert status == 403
        assert AuditEvent.objects.filter(actor="someone", outcome="DENIED").exists()


@pytest.mark.parametrize("name", sorted(set(SAMPLES) & set(PATTERNS)))
def test_a_stranger_gets_only_what_is_public(name: str) -> None:
    sample = SAMPLES[name]
    status = ask(Client(), name, sample)
    if action_of(PATTERNS[name], sample.method) == PUBLIC:
        assert status not in {403, 405, 500}
    else:
        assert status == (401 if sample.api else 302)


@pytest.mark.parametrize("name", sorted(set(SAMPLES) & set(PATTERNS)))
def test_a_suspended_user_gets_no_more_than_a_stranger(name: str) -> None:
    sample = SAMPLES[name]
    client = client_of(user := person("someone", "admin"))
    user.is_active = False
    user.save()
    status = ask(client, name, sample)
    if action_of(PATTERNS[name], sample.method) != PUBLIC:
        assert status in {302, 401}


@pytest.mark.parametrize("scope", sorted(SCOPES))
@pytest.mark.parametrize(
    "name", sorted(name for name in SAMPLES if name in PATTERNS and SAMPLES[name].api)
)
def test_a_key_gets_exactly_what_its_scopes_say(name: str, scope: str) -> None:
    _, key = keys.make_key(by=person("adam", "admin"), name="machine", scopes=[scope])
    forget_keys()
    sample = SAMPLES[name]
    action = action_of(PATTERNS[name], sample.method)
    status = ask(Client(), name, sample, headers={"X-Api-Key": key})
    if action == PUBLIC:
        return
    if action in actions_of_scopes([scope]):
        assert status not in {401, 403, 405, 500}
    else:
        assert status == 403


def test_a_key_opens_no_page() -> None:
    _, key = keys.make_key(by=person("adam", "admin"), name="machine", scopes=["read:alerts"])
    forget_keys()
    assert Client().get("/alerts/", headers={"X-Api-Key": key}).status_code == 302

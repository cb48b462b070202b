"""The cast: one person per role, the same in every test."""

import gc
from collections.abc import Iterator

import psycopg
import pytest
import pytest_django
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, TransactionTestCase
from hypothesis import HealthCheck, settings

from anomalyshield import holder, memory, pytest_servers
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.models import User
from anomalyshield.audit import anchors, record
from anomalyshield.audit.models import AuditEvent
from scoring import current
from tests import emptying, ready_made
from tests.quick import quicken

# A crowded machine is no mistake of what is tested. Build servers (CI=true) get a profile of
# hypothesis' own that says so, too.
if settings.get_current_profile_name() == "default":
    settings.register_profile(
        "crowded", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("crowded")


def person(username: str, role: str, **fields: object) -> User:
    """A user in the group of a role; without a password, tests log in by `client_of`."""
    user = User.objects.create(username=username, first_name=username.capitalize(), **fields)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


# Files that take minutes, the longest first: whoever takes one of them last is waited for.
LONGEST = (
    "browser/test_every_page", "chaos/test_nemeses", "ingest/test_processes", "test_startup",
    "models/test_demo", "test_permissions", "engine/test_detectors", "browser/test_journey",
    "browser/test_desk", "rest/test_schemathesis", "rest/test_any_request",
    "scoring/test_web_process",
)  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end, so the collector of cycles need not walk it.

    It did so twelve times on the way and every ten tests after: two million objects, a second each.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(memory.YOUNG, 20, 20)  # as in the product's own processes
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order in which they are handed out to processes."""
    places = {f"tests/{name}.py": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Passwords hashed as ever, but for a thousandth of a quarter of a second and of 100 MB."""
    with pytest.MonkeyPatch.context() as cheap:
        for cost, least in (("time_cost", 1), ("memory_cost", 8), ("parallelism", 1)):
            cheap.setattr(Argon2PasswordHasher, cost, least)
        yield


@pytest.fixture
def quick_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of few trees, for tests that ask what happens and not how good it is."""
    quicken(monkeypatch)


def client_of(user: User) -> Client:
    """A browser in which that person is logged in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(scope="session")
def copy(django_db_modify_db_settings: None) -> ready_made.Copy | None:
    """What the test database is read from; None where it is not on a server of ours."""
    return ready_made.Copy() if pytest_servers.running() else None


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool, copy: ready_made.Copy | None) -> bool:
    """Is the test database there already? Read from the copy, it is."""
    if copy is None:
        return django_db_keepdb
    copy.wait()
    return copy.read()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_keepdb: bool,
    django_db_setup: None,
    copy: ready_made.Copy | None,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> Iterator[None]:
    """The test database, and the end of this process's own session before it is dropped.

    A transactional test ends with empty tables, which the audit trail and evidence refuse
    everywhere but here.
    """
    if copy is not None:
        if not django_db_keepdb:
            copy.keep()
        copy.let_go()
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", emptying.empty)
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_not_emptied")
        for table in ("cases_evidence", "cases_evidencecontent"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER evidence_not_emptied")
    yield
    monkeypatch.undo()
    holder.stop()


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """A process remembers keys, model and policy for a second; the test before had others.

    So does the folder the heads of its trail: sealed in a transaction that was rolled back, they
    would convict whatever trail the next test of this process has verified.
    """
    forget_keys()
    current.forget()
    anchors.path().unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def refusals_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A refusal is saved where no rollback reaches it: not a caller's, and not that of a test."""
    kept: list[int] = []
    save = record._save_apart

    def noted(event: AuditEvent) -> None:
        save(event)
        kept.append(event.pk)

    monkeypatch.setattr(record, "_save_apart", noted)
    yield
    if kept:
        parameters = connection.get_connection_params()
        with psycopg.connect(**parameters) as apart:  # replica: the trail refuses a DELETE
            apart.execute("SET session_replication_role = replica")
            apart.execute("DELETE FROM audit_auditevent WHERE id = ANY(%s)", [kept])


@pytest.fixture
def ana(db: None) -> User:
    """An analyst."""
    return person("ana", "analyst")


@pytest.fixture
def lena(db: None) -> User:
    """The lead analyst: may reassign others' alerts and act in bulk."""
    return person("lena", "analyst", is_lead=True)


@pytest.fixture
def dana(db: None) -> User:
    """A data engineer."""
    return person("dana", "engineer")


@pytest.fixture
def mona(db: None) -> User:
    """A model owner."""
    return person("mona", "owner")


@pytest.fixture
def otto(db: None) -> User:
    """A second model owner, for everything that needs four eyes."""
    return person("otto", "owner")


@pytest.fixture
def adam(db: None) -> User:
    """The administrator."""
    return person("adam", "admin")

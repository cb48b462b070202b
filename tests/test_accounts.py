"""Accounts: who gets in, who is turned away, and what an admin may change about whom."""

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from anomalyshield.accounts import people, throttle
from anomalyshield.accounts.models import LoginAttempts, User
from anomalyshield.audit.models import AuditEvent
from tests.conftest import client_of, person

PASSWORD = "correct horse battery staple"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ana_with_password(ana: User) -> User:
    ana.set_password(PASSWORD)
    ana.save()
    return ana


def login(client: Client, username: str, password: str):
    return client.post("/accounts/login/", {"login": username, "password": password})


def trail(action: str, **fields: object) -> int:
    return AuditEvent.objects.filter(action=action, **fields).count()


# --- coming and going -----------------------------------------------------------------------------
def test_ana_logs_in_on_the_page_and_lands_on_her_first_page(ana_with_password: User) -> None:
    client = Client()
    assert login(client, "ana", PASSWORD).status_code == 302
    assert b"My open alerts" in client.get("/").content
    assert trail("session.opened", actor="ana") == 1


def test_logging_out_ends_the_session_and_is_on_the_trail(ana_with_password: User) -> None:
    client = client_of(ana_with_password)
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 302
    assert trail("session.closed", actor="ana") == 1


def test_a_look_at_the_log_out_page_logs_nobody_out(ana: User) -> None:
    client = client_of(ana)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/").status_code == 200


def test_a_wrong_password_is_refused_with_the_same_words_as_an_unknown_name(
    ana_with_password: User,
) -> None:
    wrong = login(Client(), "ana", "wrong wrong wrong")
    unknown = login(Client(), "nobody", "wrong wrong wrong")
    sentence = b"are not correct"
    assert sentence in wrong.content
    assert sentence in unknown.content


def test_a_password_typed_into_the_wrong_field_is_kept_nowhere(ana_with_password: User) -> None:
    login(Client(), PASSWORD, "ana")
    assert trail("session.refused", actor="unknown") == 1
    assert not AuditEvent.objects.filter(actor__contains="horse").exists()
    assert not LoginAttempts.objects.filter(who__contains="horse").exists()


def test_nobody_signs_up_by_themselves_and_other_pages_of_allauth_do_not_exist() -> None:
    for path in ("signup", "password/reset", "email", "confirm-email", "inactive", "3rdparty"):
        assert Client().get(f"/accounts/{path}/").status_code == 404


@pytest.mark.parametrize("name,password", [("admin", "admin123"), ("admin", "admin")])
def test_the_passwords_printed_in_old_manuals_open_nothing(name: str, password: str) -> None:
    assert login(Client(), name, password).status_code == 200
    assert not Client().session.get("_auth_user_id")


@pytest.mark.parametrize(
    "asked", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_after_logging_in_nobody_is_sent_to_another_site(
    ana_with_password: User, asked: str
) -> None:
    body = {"login": "ana", "password": PASSWORD, "next": asked}
    answer = Client().post("/accounts/login/", body)
    assert answer["Location"] == "/"


def test_after_logging_in_one_is_where_one_wanted_to_be(ana_with_password: User) -> None:
    sent = Client().get("/audit/?action=case.opened")
    assert sent["Location"] == "/accounts/login/?next=/audit/%3Faction%3Dcase.opened"
    body = {"login": "ana", "password": PASSWORD, "next": "/audit/?action=case.opened"}
    assert Client().post("/accounts/login/", body)["Location"] == "/audit/?action=case.opened"


def test_a_refresh_of_a_table_after_the_session_ended_goes_to_the_log_in_page() -> None:
    answer = Client().get("/alerts/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/accounts/login/"


# --- guessing -------------------------------------------------------------------------------------
def test_after_five_wrong_passwords_the_right_one_is_not_heard_from_there(
    ana_with_password: User,
) -> None:
    for _ in range(throttle.PER_NAME):
        assert b"are not correct" in login(Client(), "ana", "wrong wrong wrong").content
    assert b"Too many" in login(Client(), "ana", PASSWORD).content
    assert not trail("session.opened", actor="ana")


def test_failing_in_anas_name_does_not_lock_ana_out_elsewhere(ana_with_password: User) -> None:
    for _ in range(throttle.PER_NAME + 3):
        login(Client(REMOTE_ADDR="203.0.113.9"), "ana", "wrong wrong wrong")
    assert login(Client(REMOTE_ADDR="198.51.100.7"), "ana", PASSWORD).status_code == 302


def test_one_address_cannot_try_one_password_on_many_names(ana_with_password: User) -> None:
    for number in range(throttle.PER_ADDRESS):
        assert throttle.wait_for(f"name{number}", "203.0.113.9") == 0
    assert 0 < throttle.wait_for("ana", "203.0.113.9") <= throttle.WINDOW


def test_a_right_password_costs_nothing_and_clears_nothing() -> None:
    for _ in range(throttle.PER_NAME - 1):
        throttle.wait_for("ana", "203.0.113.9")
    for _ in range(10):
        assert throttle.wait_for("ana", "203.0.113.9") == 0
        throttle.forgive("ana", "203.0.113.9")
    assert throttle.wait_for("ana", "203.0.113.9") == 0
    assert throttle.wait_for("ana", "203.0.113.9") > 0


def test_old_counts_are_swept_away() -> None:
    LoginAttempts.objects.create(who="x", address="203.0.113.9", slot=1, count=3)
    throttle.wait_for("ana", "203.0.113.9")
    assert not LoginAttempts.objects.filter(slot=1).exists()


# --- passwords ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fresh,ok",
    [
        ("fourteen chars", False),
        ("fifteen chars !", True),
        ("passwordpassword", False),
        ("AnomalyShield-2026", False),
        ("qwertyuiopasdfgh", False),
        ("пароль из пяти слов", True),
        ("x" * 200 + " long", True),
        ("1234567890123456", False),
    ],
)
def test_a_password_is_long_and_not_the_first_thing_to_guess(
    ana_with_password: User, fresh: str, ok: bool
) -> None:
    client = client_of(ana_with_password)
    body = {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}
    assert client.post("/accounts/password/", body).status_code == (302 if ok else 200)
    ana_with_password.refresh_from_db()
    assert ana_with_password.check_password(fresh) is ok
    assert trail("password.changed", actor="ana") == int(ok)


def test_what_a_hash_costs_is_left_to_django() -> None:
    """Tests make do with less (`quick_hashes`); nobody else's hasher is its first choice."""
    assert settings.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(ana_with_password: User) -> None:
    here, there = client_of(ana_with_password), client_of(ana_with_password)
    fresh = "another long sentence"
    here.post(
        "/accounts/password/", {"oldpassword": PASSWORD, "password1": fresh, "password2": fresh}
    )
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 302


# --- people ---------------------------------------------------------------------------------------
def test_adam_makes_a_user_whose_password_is_shown_once(adam: User) -> None:
    page = client_of(adam).post("/users/new/", {"username": "eve", "roles": ["analyst"]})
    assert page.status_code == 200
    password = page.context["password"]
    assert len(password) == 20
    assert password in page.content.decode()
    assert login(Client(), "eve", password).status_code == 302
    assert trail("user.made", actor="adam") == 1
    assert not AuditEvent.objects.filter(after__icontains=password).exists()


@pytest.mark.parametrize(
    "body,status,reason",
    [
        ({"username": ""}, 400, "required"),
        ({"username": "a b"}, 400, "Letters, digits"),
        ({"username": "eve\n"}, 400, ""),
        ({"username": "x" * 151}, 400, "at most 150"),
        ({"username": "ANA"}, 409, "already a user"),
        ({"username": "eve", "roles": ["god"]}, 400, "not one of the available choices"),
    ],
)
def test_a_user_that_cannot_be_made_is_refused_in_words(
    adam: User, ana: User, body: dict[str, object], status: int, reason: str
) -> None:
    page = client_of(adam).post("/users/new/", body)
    if body["username"] == "eve\n":  # the field trims it: nobody is called that
        assert User.objects.filter(username="eve").exists()
        return
    assert page.status_code == status
    assert reason in page.content.decode()
    assert User.objects.count() == 2


def test_what_no_form_asks_for_is_never_stored(adam: User) -> None:
    extra = {
        "is_staff": "on",
        "is_superuser": "on",
        "may_unmask": "on",
        "id": "770077",
        "password": "x",
    }
    client_of(adam).post("/users/new/", {"username": "eve", "roles": ["analyst"], **extra})
    eve = User.objects.get(username="eve")
    assert (eve.is_staff, eve.is_superuser, eve.may_unmask) == (False, False, False)
    assert eve.pk != 770077
    assert not eve.check_password("x")


def test_suspending_ends_the_sessions_and_the_person_does_not_come_back_with_them(
    adam: User, ana: User
) -> None:
    client = client_of(ana)
    assert client.get("/").status_code == 200
    standing = {"roles": ["analyst"], "is_lead": False}
    people.change_user(by=adam, user=ana, is_active=False, **standing)
    assert client.get("/").status_code == 302
    people.change_user(by=adam, user=ana, is_active=True, **standing)
    assert client.get("/").status_code == 302
    assert client_of(ana).get("/").status_code == 200
    assert trail("user.changed", actor="adam") == 2


def test_a_suspended_user_cannot_log_in_and_is_told_nothing_else(ana_with_password: User) -> None:
    User.objects.filter(pk=ana_with_password.pk).update(is_active=False)
    assert b"are not correct" in login(Client(), "ana", PASSWORD).content


def test_nobody_changes_their_own_roles_or_standing(adam: User) -> None:
    person("eve", "admin")
    answer = client_of(adam).post(f"/users/{adam.pk}/", {"roles": ["owner"], "is_active": "on"})
    assert answer.status_code == 409
    assert "ask another admin" in answer.content.decode()
    assert adam.groups.get().name == "admin"


def test_the_last_admin_stays(adam: User) -> None:
    eve = person("eve", "admin")
    User.objects.filter(pk=adam.pk).update(is_active=False)
    with pytest.raises(people.Refused, match="last admin"):
        people.change_user(by=adam, user=eve, roles=[], is_lead=False, is_active=True)
    with pytest.raises(people.Refused, match="last admin"):
        people.change_user(by=adam, user=eve, roles=["admin"], is_lead=False, is_active=False)
    assert eve.groups.get().name == "admin"


def test_nobody_gives_a_right_over_personal_data_they_do_not_hold(adam: User, ana: User) -> None:
    standing = {"roles": ["analyst"], "is_lead": False, "is_active": True, "may_unmask": True}
    with pytest.raises(people.Refused, match="personal data"):
        people.change_user(by=adam, user=ana, **standing)
    adam.may_unmask = True
    adam.save()
    assert people.change_user(by=adam, user=ana, **standing).may_unmask


def test_a_new_role_works_at_the_next_request(adam: User, ana: User) -> None:
    client = client_of(ana)
    assert client.get("/users/").status_code == 403
    people.change_user(by=adam, user=ana, roles=["admin"], is_lead=False, is_active=True)
    assert client.get("/users/").status_code == 200


def test_saving_without_a_change_leaves_nothing_on_the_trail(adam: User, ana: User) -> None:
    people.change_user(by=adam, user=ana, roles=["analyst"], is_lead=False, is_active=True)
    assert trail("user.changed") == 0


def test_a_lost_password_is_replaced_and_the_old_sessions_end(adam: User, ana: User) -> None:
    session = client_of(ana)
    page = client_of(adam).post(f"/users/{ana.pk}/password/")
    assert login(Client(), "ana", page.context["password"]).status_code == 302
    assert session.get("/").status_code == 302


def test_an_admin_does_not_reset_their_own_password_past_the_old_one(adam: User) -> None:
    answer = client_of(adam).post(f"/users/{adam.pk}/password/")
    assert answer.status_code == 409


def test_the_first_admin_is_made_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("make_user", "root", "--role", "admin", "--name", "Rita Root", "--may-unmask")
    name, password = capsys.readouterr().out.split()
    root = User.objects.get(username=name)
    assert root.check_password(password)
    assert (root.get_full_name(), root.may_unmask, root.roles) == ("Rita Root", True, {"admin"})
    with pytest.raises(CommandError, match="already"):
        call_command("make_user", "root", "--role", "admin")


# --- the trail ------------------------------------------------------------------------------------
def test_ana_is_refused_the_users_page_and_that_is_on_record(ana: User) -> None:
    assert client_of(ana).get("/users/").status_code == 403
    event = AuditEvent.objects.get(actor="ana", outcome="DENIED")
    assert (event.action, event.reason, event.role) == ("user.manage", "/users/", "analyst")


def test_ana_reads_only_her_own_part_of_the_trail(ana: User, adam: User) -> None:
    people.make_user(by=adam, username="eve", roles=["analyst"])
    for query in ("", "?actor=adam", "?action=user.made"):
        assert (
            b"user.made" not in client_of(ana).get(f"/audit/{query}").content.split(b"<tbody>")[1]
        )
    assert b"user.made" in client_of(adam).get("/audit/").content


def test_the_trail_is_paged_by_number_and_filtered(adam: User, ana: User) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(actor="ana", action="data.read", object_id=str(n)) for n in range(120)
    )
    client, seen, query = client_of(adam), [], "?action=data.read"
    while query:
        page = client.get(f"/audit/{query}")
        seen += [event.object_id for event, *_ in page.context["events"]]
        query = f"?{page.context['older']}" if page.context["older"] else ""
    assert seen == [str(n) for n in range(119, -1, -1)]


def test_the_trail_of_one_object_is_not_mixed_with_its_namesakes(adam: User, ana: User) -> None:
    for kind in ("alerts.alert", "cases.case"):
        AuditEvent.objects.create(actor="ana", action="x", object_type=kind, object_id="7")
    page = client_of(adam).get("/audit/?object_type=alerts.alert&object_id=7")
    assert [event.object_type for event, *_ in page.context["events"]] == ["alerts.alert"]


@pytest.mark.parametrize(
    "query",
    ["actor=%00", "before=x", "before=-1", f"before={2**63}", "outcome=x", "actor=" + "x" * 999],
)
def test_a_filter_that_makes_no_sense_is_not_a_failure(adam: User, query: str) -> None:
    assert client_of(adam).get(f"/audit/?{query}").status_code == 200

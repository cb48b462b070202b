"""Secrets at rest: sealed, never the same text twice, and readable across a change of the key."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring import secrets
from scoring.models import Source, SourceVersion
from scoring.sourcing import change_source, make_source, secret_of

OLD, NEW = "k" * 50, "n" * 50


def test_what_is_sealed_opens_again_and_never_looks_the_same() -> None:
    one, two = secrets.seal("pass word ü"), secrets.seal("pass word ü")
    assert one != two
    assert "pass" not in one + two
    assert secrets.open(one) == secrets.open(two) == "pass word ü"


def test_a_sealed_text_that_was_changed_does_not_open() -> None:
    sealed = secrets.seal("secret")
    swapped = sealed[:-9] + ("A" if sealed[-9] != "A" else "B") + sealed[-8:]
    for wrong in (swapped, sealed[:-8], "", "s1.0.", "plain text", f"s2{sealed[2:]}"):
        with pytest.raises(secrets.SecretLost):
            secrets.open(wrong)


def test_a_former_key_opens_and_no_longer_when_it_is_gone(settings) -> None:
    settings.SECRET_KEY = OLD
    sealed = secrets.seal("secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert secrets.open(sealed) == "secret"
    assert not secrets.current(sealed)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(secrets.SecretLost, match="SECRET_KEY"):
        secrets.open(sealed)


@pytest.mark.django_db
def test_resealing_lets_the_former_key_go(settings, dana: User) -> None:
    settings.SECRET_KEY = OLD
    kept = make_source(by=dana, name="core", kind="kafka", secrets={"password": "hunter2"})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    said = StringIO()
    call_command("reseal", stdout=said)
    assert "1 secret sealed anew" in said.getvalue()
    settings.SECRET_KEY_FALLBACKS = []
    kept.refresh_from_db()
    assert secret_of(kept, "password") == "hunter2"


@pytest.mark.django_db
def test_resealing_without_the_former_key_changes_nothing(settings, dana: User) -> None:
    settings.SECRET_KEY = OLD
    kept = make_source(by=dana, name="core", kind="kafka", secrets={"password": "hunter2"})
    settings.SECRET_KEY = NEW
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reseal")
    assert Source.objects.get().sealed == kept.sealed


@pytest.mark.django_db
def test_a_secret_is_in_no_version_and_on_no_trail(dana: User) -> None:
    kept = make_source(by=dana, name="core", kind="mqtt", secrets={"password": "hunter2"})
    change_source(by=dana, source=kept, secrets={"password": "hunter3"})
    kept.refresh_from_db()
    told = [*SourceVersion.objects.values_list("values", "changed")]
    trail = [*AuditEvent.objects.values_list("before", "after")]
    assert "hunter" not in repr([told, trail, kept.sealed])
    assert SourceVersion.objects.latest("number").changed == ["secret:password"]
    assert secret_of(kept, "password") == "hunter3"
    change_source(by=dana, source=kept, secrets={"password": ""})
    assert Source.objects.get().sealed == {}

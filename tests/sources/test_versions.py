"""Every change of a source is a version: who, when, and what."""

import pytest

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Source
from scoring.sourcing import change_source, make_source

pytestmark = pytest.mark.django_db


def test_each_change_is_a_version_with_who_and_what(dana: User, adam: User) -> None:
    made = make_source(by=dana, name="till", currency="EUR")
    changed = change_source(by=adam, source=made, title="Tills", timezone="Asia/Kolkata")
    told = [(v.number, v.by, v.changed) for v in made.versions.all()]
    assert told == [(2, "adam", ["title", "timezone"]), (1, "dana", [])]
    assert changed.version == 2
    assert made.versions.get(number=1).values["timezone"] == "UTC"


def test_a_change_that_changes_nothing_is_no_version(dana: User) -> None:
    made = make_source(by=dana, name="till", title="Tills")
    change_source(by=dana, source=made, title="Tills")
    assert made.versions.count() == 1
    assert AuditEvent.objects.filter(action="source.changed").count() == 0


def test_a_source_no_person_made_keeps_what_it_was_before_its_first_change(dana: User) -> None:
    made = Source.objects.create(name="rest", kind="rest")
    change_source(by=dana, source=made, currency="EUR")
    first, second = made.versions.order_by("number")
    assert (first.by, first.values["currency"]) == ("the installation", "USD")
    assert (second.by, second.values["currency"]) == ("dana", "EUR")

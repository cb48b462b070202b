"""A chargeback after a verdict: it stands on the alert, in the history, in the figures."""

import pytest
from django.test import Client

from alerts import agreement, triage
from alerts.models import Alert, Queue
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.accepting import Sent, accept
from scoring.models import Label, Source
from tests.alerts import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(cards: Queue, ana: User) -> Alert:
    """Two payments that ana called false positives, in two alerts; the first comes back."""
    found = [making.alert(cards, user=user) for user in ("customer-1", "customer-2")]
    for one in found:
        triage.decide(by=ana, alert=one, disposition=Alert.Disposition.FALSE_POSITIVE)
    return found[0]


def charge_back(alert: Alert, **more: str) -> None:
    till = Source.objects.get(name="till")
    bank, _ = Source.objects.get_or_create(name="bank", defaults={"about": [till.name]})
    paid = alert.transaction.external_id
    accept(
        source=bank,
        sent=[Sent({"notice_id": "CB-7", "transaction_id": paid, "reason_code": "10.4", **more})],
        door="kafka",
    )


def test_it_stands_on_the_alert_whose_word_it_overturned(closed: Alert, as_ana: Client) -> None:
    charge_back(closed)
    text = as_ana.get(f"/alerts/{closed.pk}/").content.decode()
    assert "It overturns what Ana said: legitimate." in text
    assert "a report from outside" in text, "that is whose label stands"
    closed.refresh_from_db()
    assert closed.disposition == "FALSE_POSITIVE", "what she said is not rewritten"
    history = Label.objects.filter(transaction=closed.transaction).order_by("pk")
    assert [one.value for one in history] == ["FALSE_POSITIVE", "TRUE_FRAUD"]


def test_it_is_on_the_trail_by_name(closed: Alert) -> None:
    charge_back(closed)
    event = AuditEvent.objects.get(action="label.overturned")
    assert event.before == {"label": "FALSE_POSITIVE", "by": "ana"}


def test_the_share_of_overturned_verdicts_counts_it(
    closed: Alert, ana: User, as_ana: Client
) -> None:
    before = agreement.figures(ana).outside
    charge_back(closed)
    after = agreement.figures(ana).outside
    assert (before.found, before.of, after.found, after.of) == (0, 2, 1, 2)
    text = as_ana.get("/reviews/agreement/").content.decode()
    assert "1 of 2 payments that verdicts called genuine was called fraud" in text
    told = as_ana.get("/api/v1/reviews/agreement").json()
    assert told["outside"]["found"] == 1


def test_a_dispute_about_goods_overturns_nobody(closed: Alert, ana: User, as_ana: Client) -> None:
    charge_back(closed, reason_code="13.1")
    assert agreement.figures(ana).outside.found == 0
    text = as_ana.get(f"/alerts/{closed.pk}/").content.decode()
    assert "CB-7" in text
    assert "overturns" not in text

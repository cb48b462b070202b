"""How often a verdict goes to the database: that is most of what the next alert waits for."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import regrouping, triage
from alerts.models import Alert, ReviewPolicy
from scoring.models import Delivery, Label, OutboundEvent, Resolution
from tests.alerts import making
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db
FRAUD = "TRUE_POSITIVE_FRAUD"


def test_a_verdict_takes_few_statements_with_all_it_leads_to(
    ana, cards, django_assert_max_num_queries
):
    endpoint()
    ReviewPolicy.objects.create(**dict.fromkeys(ReviewPolicy.SHARES, 0.0))
    alert = making.alert(cards)
    with django_assert_max_num_queries(23):
        triage.decide(by=ana, alert=alert, disposition=FRAUD)
    assert (Label.objects.count(), Resolution.objects.count(), Delivery.objects.count()) == (1,) * 3


def test_one_on_many_payments_takes_as_many_as_on_one(ana, cards):
    endpoint()
    one, into, *others = (making.alert(cards) for _ in range(5))
    regrouping.merge(by=ana, into=into, alerts=others)
    took = []
    for alert in (one, Alert.objects.get(pk=into.pk)):
        with CaptureQueriesContext(connection) as asked:
            triage.decide(by=ana, alert=alert, disposition=FRAUD)
        took.append(len(asked))
    assert took[0] == took[1]
    assert (Label.objects.count(), OutboundEvent.objects.count(), Delivery.objects.count()) == (
        (5,) * 3
    )


def test_the_key_and_the_page_behind_it_ask_little(
    ana, as_ana, cards, django_assert_max_num_queries
):
    first, second, third = (making.alert(cards, amount=amount) for amount in ("900", "800", "700"))
    said = {"disposition": "FALSE_POSITIVE", "seen": "1"}
    as_ana.post(f"/alerts/{first.pk}/decide/", said)  # what is asked once per process is known
    with django_assert_max_num_queries(37):
        answer = as_ana.post(f"/alerts/{second.pk}/decide/", said)
    assert answer["Location"] == f"/alerts/{third.pk}/"
    with django_assert_max_num_queries(11):
        as_ana.get(f"/alerts/{third.pk}/")

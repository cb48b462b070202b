"""The evidence of an alert: enough to check it by, added up, masked, and on the trail."""

import json

import numpy as np
import pytest
from django.utils import timezone

from alerts import snoozing, triage
from alerts.evidence import evidence
from alerts.evidence_pdf import as_pdf
from alerts.models import Profile
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.seal import seal
from scoring.engine.features import NAMES, spec_id
from scoring.models import Explanation, ModelVersion
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
HIT = {"code": "HIGH_AMOUNT", "sentence": "High.", "observed": 12000.0, "limit": 10000.0}


def told(client, alert) -> dict:
    answer = client.get(f"/alerts/{alert.pk}/evidence.json")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="{alert}.json"'
    return json.loads(answer.content)


@pytest.fixture
def alert(cards, champion_row):
    made = making.alert(cards, hits=[HIT], reason_codes=["HIGH_AMOUNT"], model=champion_row)
    values = {name: 0.125 * n for n, name in enumerate(NAMES[:20])}
    Explanation.objects.create(
        decision=made.decision, model=champion_row, state="DONE", base=-4.0,
        margin=-4.0 + sum(values.values()), contributions=values,
    )  # fmt: skip
    vector = np.arange(len(NAMES), dtype="<f8")
    vector[1] = np.nan
    Profile.objects.create(alert=made, spec=spec_id(), vector=vector.tobytes())
    return made


@pytest.fixture
def champion_row(db):
    return ModelVersion.objects.create(
        number=7, folder="x", sha256="ab" * 32, kind="warm", cutoff=timezone.now()
    )


def test_it_holds_what_a_check_needs(alert, as_ana):
    found = told(as_ana, alert)
    [payment] = found["payments"]
    model = payment["decision"]["model"]
    assert (model["version"], model["sha256"]) == (7, "ab" * 32)
    assert payment["decision"]["hits"] == [HIT]
    assert [one["code"] for one in payment["decision"]["rules"] if one["hit"]] == ["HIGH_AMOUNT"]
    assert payment["decision"]["policy"]["values"]["high_above"] == 0.7
    why = payment["explanation"]
    assert abs(why["base"] + sum(why["contributions"].values()) - why["margin"]) < 1e-6
    assert abs(why["difference"]) < 1e-6
    values = found["features"]["values"]
    assert (values[NAMES[0]], values[NAMES[1]], values[NAMES[2]]) == (0.0, None, 2.0)
    assert found["features"]["spec"] == spec_id()


def test_its_history_is_in_it_with_the_hashes_of_the_trail(alert, as_ana, ana):
    until = alert.due_at
    snoozing.snooze(by=ana, alert=alert, until=until, reason="Not reached")
    triage.decide(by=ana, alert=alert, disposition="FALSE_POSITIVE", note="Their son.")
    seal()
    found = told(as_ana, alert)
    assert [one["disposition"] for one in found["verdicts"]] == ["FALSE_POSITIVE"]
    assert found["snoozes"][0]["reason"] == "Not reached"
    assert found["notes"][0]["text"] == "Their son."
    assert found["payments"][0]["labels"][0]["value"] == "FALSE_POSITIVE"
    actions = [one["action"] for one in found["trail"]]
    assert actions[:2] == ["alert.snoozed", "alert.decided"]
    assert all(len(one["digest"]) == 64 for one in found["trail"][:2])


def test_who_reads_along_takes_it_masked_and_the_trail_says_who_took_it(alert, mona):
    text = client_of(mona).get(f"/alerts/{alert.pk}/evidence.json").content.decode()
    assert "customer-0042" not in text
    assert json.loads(text)["masked"] is True
    taken = AuditEvent.objects.get(action="data.exported")
    assert (taken.actor, taken.after) == ("mona", {"evidence": "json"})


def test_one_of_a_foreign_queue_does_not_exist(loans, as_ana):
    away = making.alert(loans)
    assert as_ana.get(f"/alerts/{away.pk}/evidence.json").status_code == 404
    assert not AuditEvent.objects.filter(action="data.exported").exists()


def test_the_pdf_is_the_same_document_and_says_so(alert, as_ana, ana):
    snoozing.snooze(by=ana, alert=alert, until=alert.due_at, reason="Not reached")
    answer = as_ana.get(f"/alerts/{alert.pk}/evidence.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    document = evidence(alert, by=ana)
    assert as_pdf(document) == as_pdf(document)
    document["payments"], document["trail"] = [], []
    assert as_pdf(document).startswith(b"%PDF-")

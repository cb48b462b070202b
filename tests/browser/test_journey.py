"""The whole way in a browser: a person per role walks it, and is refused what is not theirs."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import QuerySet

from alerts.models import Alert
from anomalyshield import leases
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.seal import seal
from cases.models import Case
from scoring.models import Label, ModelVersion, RejectedRecord, TrainingRun, Transaction, Upload
from scoring.tasks import WORK, do

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CSV = """transaction_id,user_id,amount,timestamp,merchant_category,city
walk-1,walk_user,12.50,2026-11-20T10:00:00Z,groceries,Delhi
walk-2,walk_user,99999.00,2026-11-20T11:00:00Z,electronics,Delhi
walk-3,walk_user,not-a-number,2026-11-20T12:00:00Z,groceries,Delhi
"""


def work_through() -> None:
    """What workers do when the bell rings, until nothing is left."""
    busy = True
    while busy:
        busy = False
        for work in WORK:
            for row in leases.claim(work.rows, limit=1):
                do(work, row)
                busy = True


def demo() -> dict[str, str]:
    """A demo day; the log-ins it made: user name → password."""
    out = StringIO()
    call_command("demo", rows=3000, stdout=out)
    line = next(x for x in out.getvalue().splitlines() if x.startswith("DEMO-LOGINS"))
    return json.loads(line.removeprefix("DEMO-LOGINS").strip())


def untouched() -> QuerySet[Alert]:
    """Alerts nobody works on, of subjects nobody investigates."""
    new = Alert.objects.by_urgency().filter(status=Alert.Status.NEW)
    return new.exclude(user_id__in=Case.objects.values("subject"))


def test_a_payment_becomes_an_alert_a_label_and_a_better_model(visit, tmp_path: Path) -> None:
    password = demo()
    people = {name: visit(name, password[name]) for name in password}
    ana, lena, dana = people["ana"], people["lena"], people["dana"]
    mona, otto, adam = people["mona"], people["otto"], people["adam"]

    # The analyst reads the first alert, with reasons, and decides it.
    assert ana.open("/alerts/") == 200
    ana.page.click("table a >> nth=0")
    ana.page.wait_for_url("**/alerts/*/**")
    first = untouched().first()
    assert first is not None
    assert ana.open(f"/alerts/{first.pk}/") == 200
    assert ana.reads(first.user_id)
    assert ana.page.locator(".bars, table.data, .chip").count() > 0
    ana.press("Fraud")
    first.refresh_from_db()
    assert first.status == Alert.Status.CLOSED
    label = Label.objects.get(transaction=first.transaction, labeller__username="ana")
    assert label.value == Label.Value.TRUE_FRAUD
    assert ana.status_of_post(f"/alerts/{first.pk}/decide/") in {400, 409}

    # The next alert becomes a case; closing it takes a second person.
    second = untouched().first()
    assert second is not None
    ana.open(f"/alerts/{second.pk}/")
    ana.press("Open a case")
    case = Case.objects.latest("pk")
    ana.open(f"/cases/{case.pk}/")
    ana.page.fill("[name=text]", "Called the customer: card was in another city.")
    ana.press("Add note")
    ana.page.select_option("[name=outcome]", "CONFIRMED")
    ana.page.fill("[name=findings]", "Stolen card, confirmed by the customer.")
    if ana.page.locator("[name=left_open]").count():  # this kind of fraud has a playbook
        ana.page.fill("[name=left_open]", "The bank of the other side did all of it.")
    ana.press("Propose closure")
    assert ana.status_of_post(f"/cases/{case.pk}/approve/") in {403, 409}
    case.refresh_from_db()
    assert case.status == Case.Status.PENDING_CLOSURE_APPROVAL
    lena.open(f"/cases/{case.pk}/")
    lena.press("Approve closure")
    case.refresh_from_db()
    assert case.status == Case.Status.CLOSED

    # The data engineer brings a file with one bad row; nothing is lost and the reason is shown.
    assert dana.open("/uploads/") == 200
    file = tmp_path / "walk.csv"
    file.write_text(CSV, encoding="utf-8")
    dana.page.set_input_files("input[type=file]", file)
    dana.page.select_option("select[name=source]", index=1)
    dana.page.click("main form[enctype] button.btn-primary")
    dana.page.wait_for_url("**/preview/")
    assert dana.reads("1 rejected")  # tried on the page, before anything is stored
    dana.press("Start")
    work_through()
    upload = Upload.objects.latest("pk")
    assert (upload.accepted, upload.rejected) == (2, 1)
    assert "amount" in RejectedRecord.objects.get(upload=upload).reasons
    dana.open(f"/uploads/{upload.pk}/")
    assert dana.reads("amount")
    big = Transaction.objects.get(external_id="walk-2")
    assert "HIGH_AMOUNT" in big.decision.reason_codes
    assert Alert.objects.filter(transaction=big).count() == 1

    # The model owner trains on the labels; the second one promotes; the champion can go back.
    champion = ModelVersion.objects.get(state=ModelVersion.State.CHAMPION)
    mona.open("/models/")
    mona.page.fill("[name=weeks]", "0")
    mona.press("Train")
    work_through()
    run = TrainingRun.objects.latest("pk")
    assert run.result is not None, run.verdict or run.error
    candidate = run.result
    mona.open(f"/models/{candidate.pk}/")
    mona.page.fill("[name=reason]", "Trained on the analysts' labels of this week.")
    for despite in mona.page.locator("[name=despite]").all():  # a small demo leaves doubts
        despite.check()
    mona.press("Ask for promotion")
    assert mona.status_of_post(f"/models/{candidate.pk}/approve/") in {403, 409}
    otto.open(f"/models/{candidate.pk}/")
    otto.press("Approve")
    candidate.refresh_from_db()
    assert candidate.state == ModelVersion.State.CHAMPION
    mona.open("/models/")
    assert mona.reads(f"v{candidate.number}")

    # Refusals: each to their own.
    assert ana.open("/users/") == 403
    assert mona.open("/users/") == 403
    third = Alert.objects.by_urgency().open().first()
    assert third is not None
    assert mona.open(f"/alerts/{third.pk}/") == 200
    assert not mona.reads(third.user_id)
    assert mona.status_of_post(f"/alerts/{third.pk}/decide/") == 403
    assert dana.status_of_post(f"/models/{candidate.pk}/approve/") == 403
    assert adam.open("/users/") == 200
    assert champion.pk != candidate.pk

    # All of it is on the trail, and the trail holds.
    seal()
    done = set(AuditEvent.objects.filter(outcome="DONE").values_list("action", flat=True))
    assert {"alert.decided", "case.opened", "case.closed", "upload.received"} <= done
    assert {"model.trained", "model.promoted"} <= done
    assert AuditEvent.objects.filter(outcome="DENIED", actor="mona").exists()
    call_command("verify_audit")
    for person in people.values():
        assert person.complaints == []

"""Chargebacks and other late words: taken once, said as labels, never before they were known."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from anomalyshield.accounts.models import User
from scoring import accepting, history, labels, mending, noticing, uploads
from scoring.accepting import Sent, accept
from scoring.columns import Refused
from scoring.engine import features, notices
from scoring.engine.history import KINDS
from scoring.engine.transaction import Defaults, Invalid, microseconds
from scoring.models import EntityFraud, Label, Notice, RejectedRecord, Source, Transaction, Upload
from scoring.sourcing import change_source, make_source
from tests.conftest import client_of
from tests.scoring import making, paying
from tests.sources.conftest import Send, event

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DOOR = "/api/v1/notices"


def stamp(ago: timedelta) -> str:
    return (timezone.now() - ago).isoformat()


@pytest.fixture
def bank(dana: User, till: Source) -> Source:
    """A feed of chargebacks about the payments of the till."""
    return make_source(by=dana, name="bank", kind="kafka", about=["till"])


@pytest.fixture
def paid(till: Source) -> Transaction:
    accept(source=till, sent=[Sent(event(1, timestamp=stamp(9 * DAY)))], door="rest")
    return Transaction.objects.get()


def notice(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"notice_id": f"CB-{number}", "transaction_id": "e1", **more}


def take(source: Source, *records: Any) -> accepting.Accepted:
    return accept(source=source, sent=[Sent(one) for one in records], door="kafka")


# --- what a record says ---------------------------------------------------------------------------
def read(**record: Any) -> notices.Notice:
    defaults = Defaults("INR", "INR", "Asia/Kolkata", NOW)
    return notices.parse({"notice_id": "n", "transaction_id": "t", **record}, defaults=defaults)


@pytest.mark.parametrize(
    ("record", "kind", "value"),
    [
        ({}, "CHARGEBACK", "TRUE_FRAUD"),
        ({"reason_code": "10.4"}, "CHARGEBACK", "TRUE_FRAUD"),
        ({"reason_code": "4837"}, "CHARGEBACK", "TRUE_FRAUD"),
        ({"reason_code": "13.1"}, "CHARGEBACK", ""),  # goods that never came
        ({"reason_code": "13.1", "label": "fraud"}, "CHARGEBACK", "TRUE_FRAUD"),
        ({"kind": "TC40"}, "FRAUD_REPORT", "TRUE_FRAUD"),
        ({"type": "Customer report"}, "CUSTOMER_REPORT", "TRUE_FRAUD"),
        ({"kind": "representment"}, "DISPUTE_WON", "FALSE_POSITIVE"),
        ({"kind": "other"}, "OTHER", ""),
        ({"kind": "other", "label": 0}, "OTHER", "FALSE_POSITIVE"),
    ],
)
def test_what_it_says_of_fraud(record: dict[str, Any], kind: str, value: str) -> None:
    found = read(**record)
    assert (found.kind, found.value) == (kind, value)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (None, NOW),
        ("2026-11-18T09:00:00Z", datetime(2026, 11, 18, 9, tzinfo=UTC)),
        ("2026-11-18 09:00", datetime(2026, 11, 18, 3, 30, tzinfo=UTC)),  # of its source's zone
        ("2026-11-18", datetime(2026, 11, 18, 18, 30, tzinfo=UTC)),  # the end of that day there
        ("2026-11-20", NOW),  # today, and no later than now
        ("2026-11-20T12:03:00Z", NOW),  # the sender's clock is a little ahead
        (1763424000, datetime(2025, 11, 18, tzinfo=UTC)),
    ],
)
def test_since_when_it_is_known(given: Any, known: datetime) -> None:
    assert read(**({} if given is None else {"known_at": given})).known_at == known


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ({"known_at": "2026-11-21"}, "known_at", "lies in the future"),
        ({"known_at": "2026-11-20T12:06:00Z"}, "known_at", "lies in the future"),
        ({"known_at": "03/04/2026"}, "known_at", "is not a time"),
        ({"kind": "party"}, "kind", "is none of CHARGEBACK"),
        ({"label": "maybe"}, "label", "is not a label"),
        ({"amount": "-3"}, "amount", "is negative"),
        ({"notice_id": " "}, "notice_id", "is required"),
        ({"transaction_id": None}, "transaction_id", "is required"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    record: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read(**record)
    assert reason in refusal.value.reasons[field]


# --- what becomes of it ---------------------------------------------------------------------------
def test_a_chargeback_labels_its_payment_and_is_known_of_its_entities(
    bank: Source, paid: Transaction
) -> None:
    known = timezone.now() - 2 * DAY
    done = take(bank, notice(known_at=known.isoformat(), amount=10, currency="USD"))
    assert (len(done.stored), done.waiting, done.rejected) == (1, 0, {})
    label = Label.objects.get()
    assert (label.value, label.origin, label.known_at) == ("TRUE_FRAUD", "CHARGEBACK", known)
    row = Notice.objects.get()
    assert (row.state, row.label, row.transaction) == ("LABELLED", label, paid)
    fraud = EntityFraud.objects.get(kind=KINDS["user"])
    assert (fraud.known_at, fraud.transaction_id) == (known, paid.pk)


def test_it_reaches_the_features_of_the_next_payment_at_once_and_never_an_earlier_one(
    bank: Source, paid: Transaction
) -> None:
    known = timezone.now() - 2 * DAY
    take(bank, notice(known_at=known.isoformat()))
    event_now = paying.events()[-1:].copy()

    def frauds_of_user(at: datetime) -> int:
        event_now["time"] = microseconds(at)
        rows = history.read_one(event_now, known_at=timezone.now()).frauds
        mine = rows[(rows["kind"] == KINDS["user"]) & (rows["known"] <= microseconds(at))]
        return len(mine)

    assert frauds_of_user(timezone.now()) == 1
    assert frauds_of_user(known - DAY) == 0, "what was known later is not seen earlier"


def test_repeats_are_done_once_and_other_content_is_refused(
    bank: Source, paid: Transaction
) -> None:
    same = notice(known_at=stamp(DAY))
    take(bank, same)
    done = take(bank, same, notice(known_at=stamp(2 * DAY)), notice(2), notice(2))
    assert (done.repeated, sorted(done.stored)) == ([0, 3], [2])
    assert done.rejected == {1: {"notice_id": "is already known with other content"}}
    assert Label.objects.count() == 1
    assert Notice.objects.get(external_id="CB-2").state == "AGREED"


def test_a_date_before_the_payment_is_refused_in_words(bank: Source, paid: Transaction) -> None:
    done = take(bank, notice(known_at=stamp(30 * DAY)))
    assert done.rejected[0]["known_at"].startswith("lies before the payment itself (")
    assert not Notice.objects.exists()
    assert RejectedRecord.objects.get().notice


def test_one_about_an_unknown_payment_waits_and_speaks_when_it_comes(
    bank: Source, till: Source
) -> None:
    known = timezone.now() - 2 * DAY
    done = take(bank, notice(known_at=known.isoformat()), notice(2, transaction_id="never"))
    assert (len(done.stored), done.waiting) == (2, 2)
    assert noticing.sweep() == 0
    accept(source=till, sent=[Sent(event(1, timestamp=stamp(9 * DAY)))], door="rest")
    assert noticing.sweep() == 1
    assert Label.objects.get().known_at == known
    assert EntityFraud.objects.filter(kind=KINDS["user"]).count() == 1
    assert set(Notice.objects.values_list("external_id", "state")) == {
        ("CB-1", "LABELLED"), ("CB-2", "WAITING"),
    }  # fmt: skip


def test_one_that_waited_and_was_known_before_its_payment_says_nothing(
    bank: Source, till: Source
) -> None:
    take(bank, notice(known_at=stamp(20 * DAY)))
    accept(source=till, sent=[Sent(event(1, timestamp=stamp(9 * DAY)))], door="rest")
    noticing.sweep()
    assert Notice.objects.get().state == "REFUSED"
    assert not Label.objects.exists()


def test_several_about_one_payment_are_all_in_its_history(bank: Source, paid: Transaction) -> None:
    take(
        bank,
        notice(2, kind="DISPUTE_WON", known_at=stamp(DAY)),
        notice(1, known_at=stamp(3 * DAY)),
        notice(3, reason_code="13.1", known_at=stamp(2 * DAY)),
    )
    said = Label.objects.order_by("pk").values_list("value", flat=True)
    assert list(said) == ["TRUE_FRAUD", "FALSE_POSITIVE"]
    states = dict(Notice.objects.values_list("external_id", "state"))
    assert states == {"CB-1": "LABELLED", "CB-2": "LABELLED", "CB-3": "NOTED"}


@pytest.mark.parametrize("known_ago", [timedelta(minutes=0), 3 * DAY], ids=["now", "days ago"])
def test_a_chargeback_overturns_a_person_who_could_not_know_it(
    bank: Source, paid: Transaction, ana: User, known_ago: timedelta
) -> None:
    """Against a person it counts from now on, however early its sender knew."""
    first = labels.give(by=ana, transaction=paid, value="FALSE_POSITIVE", origin="DISPOSITION")
    take(bank, notice(known_at=stamp(known_ago)))
    standing = Label.objects.standing().get()
    assert (standing.value, standing.supersedes) == ("TRUE_FRAUD", first)
    assert standing.known_at > first.known_at
    assert Notice.objects.overturning().count() == 1


def test_that_a_person_saw_a_fraud_is_not_lifted_by_a_dispute_won(
    bank: Source, paid: Transaction, ana: User
) -> None:
    labels.give(by=ana, transaction=paid, value="TRUE_FRAUD", origin="DISPOSITION")
    take(bank, notice(kind="won"))
    assert Label.objects.get().value == "TRUE_FRAUD"
    assert Notice.objects.get().state == "OUTWEIGHED"


def test_card_numbers_in_it_are_stored_nowhere(bank: Source, paid: Transaction) -> None:
    take(bank, notice(reason_code="4111111111111111"[:16]), notice(2, amount="4111 1111 1111 1111"))
    kept = [str(row.__dict__) for row in (*Notice.objects.all(), *RejectedRecord.objects.all())]
    assert kept
    assert "411111111111" not in "".join(kept).replace(" ", "")


def test_what_becomes_known_changes_no_vector_of_before(bank: Source, till: Source) -> None:
    """Any payments, any notices, in any order: masking all that is known later gives the same."""
    chance, start = np.random.default_rng(3), timezone.now() - 40 * DAY
    records = [
        event(n, timestamp=(start + n * DAY / 3).isoformat(), merchant="Kiosk", card_id="c")
        for n in range(90)
    ]
    accept(source=till, sent=[Sent(one) for one in records], door="rest")
    events = paying.events()

    def vectors() -> Any:
        return features.compute(events, history.read(events, known_at=timezone.now()))

    told = [
        notice(n, transaction_id=f"e{n}", known_at=(start + n * DAY / 3 + late * DAY).isoformat())
        for n, late in zip(chance.permutation(60)[:25], chance.uniform(0.1, 20, 25), strict=True)
    ]
    told.sort(key=lambda one: one["known_at"])
    before, counted = vectors(), features.column("known_fraud_count_180d")
    for some in (told[:9], told[9:]):
        take(bank, *some)
        after = vectors()
        first = microseconds(datetime.fromisoformat(some[0]["known_at"]))
        earlier = events["time"] < first
        assert after[earlier].tobytes() == before[earlier].tobytes()
        assert np.nansum(after[:, counted]) > np.nansum(before[:, counted])
        before = after


# --- doors ----------------------------------------------------------------------------------------
def test_programs_send_one_or_many(send: Send, paid: Transaction) -> None:
    answer = send(notice(known_at=stamp(DAY)), DOOR)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["accepted"], told["waiting"]) == (1, 0)
    lines = "\n".join(json.dumps(notice(n, transaction_id=f"e{n}")) for n in (1, 2, 3))
    told = send(lines + "\n{", DOOR, content_type="application/x-ndjson").json()
    assert (told["accepted"], told["waiting"], told["rejected"]) == (2, 2, 2)  # CB-1 says otherwise
    assert told["errors"][0]["detail"].startswith("notice_id is already known")


@pytest.mark.parametrize(
    ("record", "status", "pointer"),
    [
        (notice(known_at="2999-01-01"), 400, "/known_at"),
        (notice(transaction_id=""), 400, "/transaction_id"),
        (notice(source="loans"), 400, "/source"),
        ([], 400, ""),
    ],
)
def test_a_fault_is_answered_with_its_field(
    send: Send, paid: Transaction, record: Any, status: int, pointer: str
) -> None:
    answer = send(record, DOOR)
    assert (answer.status_code, answer.json()["pointer"]) == (status, pointer)
    assert not Notice.objects.exists()


def test_of_one_alone_what_only_the_database_knows_is_answered_too(
    send: Send, paid: Transaction
) -> None:
    early = send(notice(known_at=stamp(20 * DAY)), DOOR)
    assert (early.status_code, early.json()["pointer"]) == (400, "/known_at")
    send(notice(), DOOR)
    other = send(notice(amount=3), DOOR)
    assert (other.status_code, other.json()["code"]) == (409, "conflicting_duplicate")


def file(text: str, name: str = "chargebacks.csv") -> dict[str, Any]:
    return {"name": name, "file": BytesIO(text.encode())}


@pytest.mark.django_db(transaction=True)
def test_a_file_is_read_by_a_worker_and_mended_in_the_quarantine(
    bank: Source, paid: Transaction, dana: User
) -> None:
    text = (
        "Chargeback ID,Transaction ID,Chargeback date,Reason code,Amount\n"
        f"CB-1,e1,{timezone.now() - 2 * DAY:%Y-%m-%d},10.4,10\n"
        "CB-2,later,2026-01-03,13.1,\n"
        "CB-3,e1,03/04/2026,,5\n"
    )
    made = uploads.receive(by=dana, source=bank, options={}, **file(text))
    assert made.options["mapping"]["Chargeback date"] == "known_at"
    making.work_through()
    made.refresh_from_db()
    assert (made.read, made.accepted, made.rejected, made.stage) == (3, 2, 1, "FINISHED")
    assert Label.objects.get().origin == "CHARGEBACK"
    reject = RejectedRecord.objects.get()
    assert reject.reasons == {"known_at": "is not a time such as 2026-01-14T15:00:00Z"}
    mended = {**reject.record, "Chargeback date": f"{timezone.now():%Y-%m-%d}"}
    assert mending.replay(by=dana, reject=reject, record=mended).state == "ACCEPTED"
    assert Notice.objects.get(external_id="CB-3").state == "AGREED"
    assert Transaction.objects.count() == 1


def test_a_file_without_the_columns_it_needs_is_refused(bank: Source, dana: User) -> None:
    with pytest.raises(Refused, match="No column of the file gives notice_id"):
        uploads.receive(by=dana, source=bank, options={}, **file("a,transaction_id\n1,2\n"))
    options = {"notices": True, "mapping": {"a": "user_id"}}
    with pytest.raises(Refused, match="not one of our fields"):
        uploads.receive(by=dana, source=bank, options=options, **file("a,b\n1,2\n"))


def test_the_page_takes_a_file_and_shows_what_became_of_each(
    till: Source, paid: Transaction, dana: User, ana: User
) -> None:
    labels.give(by=ana, transaction=paid, value="FALSE_POSITIVE", origin="DISPOSITION")
    page = client_of(dana)
    sent = BytesIO(b"CB Ref,transaction_id\nCB-1,e1\n")
    sent.name = "cb.csv"
    answer = page.post(
        "/notices/", {"file": sent, "source": till.pk, "mapping": "CB Ref = notice_id"}
    )
    upload = Upload.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/uploads/{upload.pk}/")
    take_file(upload)
    text = page.get("/notices/?state=LABELLED").content.decode()
    assert "CB-1" in text
    assert "overturns Ana" in text
    assert "e1" not in text.replace("CB-1", ""), "engineers see the ends of a payment's number"
    assert "CB-1" in client_of(ana).get(f"/transactions/{paid.pk}/").content.decode()
    assert client_of(ana).get("/notices/").status_code == 403
    wrong = page.post("/notices/", {"source": till.pk})
    assert wrong.status_code == 400


def take_file(upload: Upload) -> None:
    from scoring import notice_files

    Upload.objects.filter(pk=upload.pk).update(state="RUNNING", lease_token=1)
    upload.refresh_from_db()
    notice_files.store(upload)


# --- whose payments -------------------------------------------------------------------------------
def test_a_source_speaks_only_of_those_it_names(dana: User, till: Source) -> None:
    with pytest.raises(Refused, match="There is no source named loans"):
        make_source(by=dana, name="bank", about=["loans"])
    shop = make_source(by=dana, name="shop")
    bank = make_source(by=dana, name="bank", about="till")
    bank = change_source(by=dana, source=bank, about=["till", "shop"])
    done = take(bank, notice(), notice(2, source="shop"), notice(3, source="bank"))
    assert done.rejected == {
        0: {"source": "is required: one of till, shop"},
        2: {"source": "is none that bank may speak of"},
    }
    assert Notice.objects.get().payment_source == shop


def test_a_replayed_record_of_the_door_is_a_notice_again(
    send: Send, paid: Transaction, dana: User
) -> None:
    send([notice(known_at="soon")], DOOR)
    reject = RejectedRecord.objects.get()
    done = mending.replay(by=dana, reject=reject, record=notice(known_at=stamp(DAY)))
    assert (done.state, done.became_id) == ("ACCEPTED", None)
    assert Notice.objects.get().state == "LABELLED"

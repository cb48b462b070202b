"""The trail: written with the effect, kept, sealed into a chain, and every tampering is found."""

import re
import threading
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from anomalyshield.audit import anchors, seal, verify
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.record import denied, record
from anomalyshield.audit.words import ACTIONS, ACTORS, KINDS, action_in_words, actor_in_words
from anomalyshield.context import Asking, asked_by
from anomalyshield.leases import Leased

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def anchor_folder(settings, tmp_path: Path) -> Path:
    settings.VAR = tmp_path
    return tmp_path


def happened(count: int = 1) -> list[AuditEvent]:
    return [record(by="worker", action="upload.received", after={"n": n}) for n in range(count)]


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def as_owner(statement: str) -> None:
    """What somebody with the owner's password can do: put the triggers to sleep."""
    with transaction.atomic():
        sql("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        sql(statement)
        sql("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")
        sql("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_not_emptied")


def test_an_event_says_who_what_where_and_in_which_request(ana):
    with asked_by(Asking(request_id="r-1", ip="10.1.2.3")):
        event = record(by=ana, action="alert.claimed", object=ana, before={"a": 1}, after={"a": 2})
    event.refresh_from_db()
    assert (event.actor, event.role, event.ip, event.request_id) == (
        "ana",
        "analyst",
        "10.1.2.3",
        "r-1",
    )
    assert (event.object_type, event.object_id) == ("accounts.user", str(ana.pk))
    assert (event.before, event.after, event.outcome) == ({"a": 1}, {"a": 2}, "DONE")
    assert event.number is None


def test_an_event_goes_when_its_effect_is_rolled_back():
    @transaction.atomic
    def verb() -> None:
        record(by="worker", action="upload.received")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        verb()
    assert not AuditEvent.objects.exists()


def test_a_denied_attempt_stays_when_the_transaction_is_rolled_back(ana):
    @transaction.atomic
    def verb() -> None:
        denied(ana, "model.promoted", ana, "not the same person twice")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        verb()
    event = AuditEvent.objects.get()
    assert (event.outcome, event.reason) == ("DENIED", "not the same person twice")


@pytest.mark.parametrize(
    "value, kept",
    [
        ("a\x00b", "a\N{REPLACEMENT CHARACTER}b"),
        ("\ud800", "?"),
        (float("nan"), "nan"),
        (Decimal("1.10"), "1.10"),
        ({"deep": [float("inf")]}, {"deep": ["inf"]}),
    ],
)
def test_it_keeps_what_jsonb_would_refuse(value, kept):
    event = record(by="worker", action="upload.received", after={"value": value})
    event.refresh_from_db()
    assert event.after == {"value": kept}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET reason = 'nicer'",
        "UPDATE audit_auditevent SET number = 7",
        "UPDATE audit_auditevent SET number = NULL, previous = NULL, digest = NULL",
        "DELETE FROM audit_auditevent",
        "INSERT INTO audit_auditevent (actor, role, request_id, action, object_type, object_id,"
        " outcome, reason, number) VALUES ('x', '', '', 'x', '', '', 'DONE', '', 9)",
    ],
)
@pytest.mark.parametrize("sealed", [False, True])
def test_the_database_refuses_to_change_an_event(statement, sealed):
    happened()
    if sealed:
        seal.seal()
    with pytest.raises(DatabaseError, match="never changed"):
        sql(statement)


def test_the_database_refuses_to_empty_the_trail():
    happened()
    with pytest.raises(DatabaseError, match="never changed"):
        sql(
            "ALTER TABLE audit_auditevent ENABLE TRIGGER audit_not_emptied;"
            "TRUNCATE audit_auditevent"
        )
    assert AuditEvent.objects.count() == 1


def test_it_seals_what_is_committed_in_order_and_verifies(settings):
    happened(5)
    assert seal.seal() == 5
    happened(3)
    assert seal.seal() == 3
    assert seal.seal() == 0
    report = verify.verify()
    assert (report.rows, report.unsealed, report.trouble) == (8, 0, "")
    assert list(AuditEvent.objects.order_by("id").values_list("number", flat=True)) == [
        *range(1, 9)
    ]


def test_an_event_that_commits_late_gets_a_later_number_and_is_not_lost():
    started, go = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(by="slow", action="upload.received")
            started.set()
            go.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    started.wait(10)
    happened(2)
    assert seal.seal() == 2
    go.set()
    thread.join()
    assert seal.seal() == 1
    late = AuditEvent.objects.get(actor="slow")
    assert late.number == 3
    assert late.id < AuditEvent.objects.get(number=2).id
    assert verify.verify().trouble == ""


def test_two_sealers_at_once_make_one_chain():
    stop = threading.Event()
    sealed: list[int] = []

    def sealer() -> None:
        while not stop.is_set():
            sealed.append(seal.seal())
        sealed.append(seal.seal())
        connection.close()

    sealers = [threading.Thread(target=sealer) for _ in range(2)]
    for thread in sealers:
        thread.start()
    happened(200)
    stop.set()
    for thread in sealers:
        thread.join()
    assert sum(sealed) == 200
    report = verify.verify()
    assert (report.rows, report.unsealed, report.trouble) == (200, 0, "")


TAMPERED = [
    ("UPDATE audit_auditevent SET actor = 'eve' WHERE number = 4", "event 4 .* was changed"),
    (
        "UPDATE audit_auditevent SET at = at + interval '1 us' WHERE number = 4",
        "event 4 .* changed",
    ),
    ("UPDATE audit_auditevent SET after = '{\"n\": 99}' WHERE number = 4", "event 4 .* changed"),
    (
        "UPDATE audit_auditevent SET digest = set_byte(digest, 0, 255 - get_byte(digest, 0))"
        " WHERE number = 4",
        "event 4 .* changed",
    ),
    ("DELETE FROM audit_auditevent WHERE number = 4", "event 4 is missing"),
    ("DELETE FROM audit_auditevent WHERE number IN (1, 2)", "events 1 to 2 are missing"),
    (
        "DELETE FROM audit_auditevent WHERE number = 4;"
        "UPDATE audit_auditevent SET number = -number WHERE number > 4;"
        "UPDATE audit_auditevent SET number = -number - 1 WHERE number < 0",
        "event 4 .* does not follow event 3",
    ),
    (
        "UPDATE audit_auditevent SET number = -number WHERE number IN (4, 5);"
        "UPDATE audit_auditevent SET number = 9 + number WHERE number < 0",
        "event 4 .* does not follow event 3",
    ),
    (
        "UPDATE audit_auditevent SET number = -number WHERE number > 3;"
        "UPDATE audit_auditevent SET number = 1 - number WHERE number < 0;"
        "INSERT INTO audit_auditevent (actor, role, request_id, action, object_type, object_id,"
        " outcome, reason, number, previous, digest) SELECT 'eve', '', '', 'x', '', '', 'DONE', '',"
        " 4, digest, sha256(digest) FROM audit_auditevent WHERE number = 3",
        "event 4 .* was changed",
    ),
    ("DELETE FROM audit_auditevent WHERE number > 7", "events 8 to 9 are missing at the end"),
    (
        "UPDATE audit_auditevent SET number = 0 WHERE number = 1",
        "event 0 .* does not|event 0 .* chang",
    ),
    ("DELETE FROM audit_auditevent", "events 1 to 9 are missing at the end"),
]


@pytest.mark.parametrize("statement, finding", TAMPERED)
def test_it_names_the_first_event_that_was_tampered_with(statement, finding):
    happened(9)
    seal.seal()
    as_owner(statement)
    with pytest.raises(CommandError, match=finding) as refused:
        call_command("verify_audit", stdout=StringIO())
    assert refused.value.returncode == 1


def test_a_chain_rebuilt_from_a_changed_event_is_found_by_its_anchor():
    happened(9)
    seal.seal()
    as_owner(
        "UPDATE audit_auditevent SET actor = 'eve' WHERE number = 4;"
        "UPDATE audit_auditevent SET number = NULL, previous = NULL, digest = NULL"
    )
    noted = anchors.path().read_bytes()
    seal.seal()
    anchors.path().write_bytes(noted)
    assert "event 9 is not the one anchored at" in verify.verify().trouble


def test_a_reset_sequence_or_a_late_low_id_harms_nothing():
    happened(3)
    sequence = "pg_get_serial_sequence('audit_auditevent', 'id')"
    sql(f"SELECT setval({sequence}, (SELECT max(id) + 50 FROM audit_auditevent))")
    happened(2)
    seal.seal()
    assert verify.verify().trouble == ""


def test_the_command_says_how_much_holds():
    happened(4)
    seal.seal()
    happened(1)
    said = StringIO()
    call_command("verify_audit", stdout=said)
    assert "holds: 4 events and 1 anchors" in said.getvalue()
    assert "1 not sealed yet" in said.getvalue()


def test_the_anchor_file_grows_by_a_line_a_minute_and_survives_a_torn_line():
    for number in range(1, 4):
        anchors.write(anchors.Anchor(number, bytes(32)))
    assert [*anchors.read()] in ([3], [1, 3], [2, 3])  # the minute may turn meanwhile
    with anchors.path().open("ab") as file:
        file.write(b"000000")
    assert 3 in anchors.read()
    anchors.write(anchors.Anchor(4, bytes(32)))
    assert 4 in anchors.read()


def test_everybody_who_acts_and_is_no_person_has_words_and_so_has_all_work():
    here = Path(__file__).parents[1]
    folders = ("anomalyshield", "alerts", "cases", "scoring")
    texts = [file.read_text() for folder in folders for file in (here / folder).rglob("*.py")]
    used = {name for text in texts for name in re.findall(r'by(?:: Any )?="([a-z]+)"', text)}
    used |= {name for text in texts for name in re.findall(r'by: Any = "([a-z]+)"', text)}
    assert used >= {"worker", "draw", "schedule"}
    assert used <= ACTORS.keys()
    assert actor_in_words("key:abc") == "key abc…"
    assert actor_in_words("ana") == "ana"
    assert {work._meta.model_name for work in Leased.__subclasses__()} <= KINDS.keys()


def test_every_action_has_words_and_an_unknown_one_is_readable():
    here = Path(__file__).parents[1]
    folders = ("anomalyshield", "alerts", "cases", "scoring")
    texts = [file.read_text() for folder in folders for file in (here / folder).rglob("*.py")]
    used = {name for text in texts for name in re.findall(r'action="([a-z_]+\.[a-z_]+)"', text)}
    assert used
    assert used <= ACTIONS.keys()
    assert action_in_words("queue.burnt_down") == "Queue: burnt down"

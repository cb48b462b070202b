"""Labels: one standing word per transaction, corrected by the right people only."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from anomalyshield.audit.models import AuditEvent
from scoring import label_words, labels
from scoring.models import Label
from tests.models.making import NOW, payment, source

FRAUD, LEGITIMATE = Label.Value.TRUE_FRAUD, Label.Value.FALSE_POSITIVE
pytestmark = pytest.mark.django_db


def say(by, transaction, value=FRAUD, **more):
    return labels.give(
        by=by, transaction=transaction, value=value, origin=Label.Origin.DISPOSITION, **more
    )


def age(label, **by):
    Label.objects.filter(pk=label.pk).update(known_at=label.known_at - timedelta(**by))


def standing(transaction):
    return Label.objects.filter(transaction=transaction).standing().get()


def test_a_label_says_who_what_and_since_when(ana):
    label = say(ana, payment("t1"), typology="CARD_TESTING", note="Five small ones")
    assert (label.labeller, label.value, label.typology) == (ana, FRAUD, "CARD_TESTING")
    assert label.known_at >= NOW
    event = AuditEvent.objects.get(action="label.given")
    assert event.actor == "ana"
    assert event.after["label"] == FRAUD


def test_saying_the_same_again_changes_nothing(ana, lena):
    first = say(ana, payment("t1"))
    assert say(lena, first.transaction) == first
    assert AuditEvent.objects.filter(action="label.given").count() == 1


def test_ones_own_label_may_be_changed_while_it_is_fresh(ana):
    first = say(ana, payment("t1"))
    second = say(ana, first.transaction, LEGITIMATE)
    assert second.supersedes == first
    assert standing(first.transaction) == second
    assert AuditEvent.objects.filter(before={"label": FRAUD}).count() == 1


def test_ones_own_label_stays_after_a_quarter_of_an_hour(ana):
    label = say(ana, payment("t1"))
    age(label, minutes=16)
    with pytest.raises(labels.Refused, match=r"15 minutes ago.*second person"):
        say(ana, label.transaction, LEGITIMATE)
    assert standing(label.transaction) == label


def test_anothers_label_is_not_changed_by_one_person_alone(ana, lena):
    label = say(ana, payment("t1"))
    with pytest.raises(labels.Refused, match=r"Ana said fraud.*second person"):
        say(lena, label.transaction, LEGITIMATE)


def test_an_inconclusive_label_may_be_decided_by_anyone(ana, lena):
    label = say(ana, payment("t1"), Label.Value.INCONCLUSIVE)
    assert say(lena, label.transaction).supersedes == label


@pytest.mark.parametrize("days, reason", [(1, "in the future"), (-9, "before its transaction")])
def test_a_label_is_known_neither_before_its_transaction_nor_after_today(ana, days, reason):
    with pytest.raises(labels.Refused, match=reason):
        say(ana, payment("t1"), known_at=NOW + timedelta(days=days))


def test_a_file_labels_with_the_dates_it_gives():
    paid = payment("t1", days_ago=9)
    reported = NOW - timedelta(days=3)
    assert labels.from_file([("t1", FRAUD, reported)], source=source()) == 1
    label = standing(paid)
    assert (label.value, label.known_at, label.origin) == (FRAUD, reported, Label.Origin.FILE)
    assert label.labeller is None


def test_the_same_file_again_changes_nothing():
    payment("t1", days_ago=9)
    rows = [("t1", FRAUD, NOW)]
    assert [labels.from_file(rows, source=source()) for _ in range(2)] == [1, 0]


def test_what_a_file_knows_later_wins_and_what_it_knew_earlier_does_not(ana):
    late = say(ana, payment("t1", days_ago=9), LEGITIMATE)
    early = say(ana, payment("t2", days_ago=9), LEGITIMATE)
    age(late, days=2)
    rows = [("t1", FRAUD, NOW), ("t2", FRAUD, NOW - timedelta(days=5))]
    assert labels.from_file(rows, source=source()) == 1
    assert standing(late.transaction).value == FRAUD
    assert standing(early.transaction).value == LEGITIMATE


def test_of_two_lines_about_one_transaction_the_later_known_counts():
    paid = payment("t1", days_ago=9)
    rows = [("t1", LEGITIMATE, NOW), ("t1", FRAUD, NOW - timedelta(days=1))]
    labels.from_file(rows, source=source())
    assert standing(paid).value == LEGITIMATE


def test_a_file_of_another_source_labels_nothing():
    payment("t1")
    assert labels.from_file([("t1", FRAUD, NOW)], source=source("other")) == 0


def test_a_report_from_outside_is_not_changed_by_one_person_alone(ana):
    paid = payment("t1", days_ago=9)
    labels.from_file([("t1", FRAUD, NOW)], source=source())
    with pytest.raises(labels.Refused, match="A report from outside says fraud"):
        say(ana, paid, LEGITIMATE)


@pytest.mark.parametrize(
    "cell, meant",
    [("1", FRAUD), (" Fraud ", FRAUD), (True, FRAUD), (0, LEGITIMATE), ("", None), (None, None)],
)
def test_the_cells_of_a_label_column_are_read_tolerantly(cell, meant):
    assert label_words.value_of(cell) == meant


def test_a_cell_that_is_no_label_is_refused():
    with pytest.raises(ValueError, match="is not a label"):
        label_words.value_of("maybe")


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_is_refused_and_one_label_stands(ana, lena):
    paid, refused = payment("t1"), []

    def one(by, value):
        try:
            say(by, paid, value)
        except labels.Refused as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=one, args=said) for said in [(ana, FRAUD), (lena, LEGITIMATE)]
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(refused) == 1
    assert Label.objects.filter(transaction=paid).count() == 1


def test_the_trail_does_not_repeat_what_people_write_into_notes(ana):
    say(ana, payment("t1"), note="Called Mr Smith at home")
    assert "Smith" not in str(vars(AuditEvent.objects.get(action="label.given")))


def test_a_typology_may_be_added_to_a_report_that_names_none(ana):
    paid = payment("t1", days_ago=9)
    labels.from_file([("t1", FRAUD, NOW)], source=source())
    assert say(ana, paid, typology="CARD_TESTING").typology == "CARD_TESTING"
    assert standing(paid).labeller == ana


def test_a_file_that_changes_its_mind_twice_leaves_one_chain_with_one_end():
    paid = payment("t-wavering")
    said = [FRAUD, LEGITIMATE, FRAUD]
    for days, value in zip((30, 20, 10), said, strict=True):
        row = (paid.external_id, value, NOW - timedelta(days=days))
        assert labels.from_file([row], source=paid.source) == 1
        assert labels.from_file([row], source=paid.source) == 0, "a repeat is no news"
    chain = list(Label.objects.filter(transaction=paid).order_by("pk"))
    assert [one.value for one in chain] == said
    assert [one.supersedes for one in chain] == [None, *chain[:-1]]
    assert standing(paid) == chain[-1]

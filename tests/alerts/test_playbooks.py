"""Playbooks: words and steps for every kind of fraud, written anew by leads."""

import pytest

from alerts import playbooks
from alerts.guards import Refused
from alerts.models import Alert, Playbook
from alerts.plays import PLAYS
from anomalyshield.audit.models import AuditEvent
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
SAID = {
    "text": "Small sums.",
    "steps": ["Block it.", " ", "Call."],
    "reason": "Shorter.",
    "seen": 0,
}


def test_every_typology_has_words_and_steps_of_its_own():
    assert set(PLAYS) == set(Alert.Typology.values)
    for typology in ["", *Alert.Typology.values]:
        book = playbooks.standing(typology)
        assert book.version == 0
        assert len(book.text) > 80
        assert 3 <= len(playbooks.steps_for(typology)) <= playbooks.MOST_STEPS
        assert all(len(step) <= playbooks.STEP_LENGTH for step in book.steps)


def test_a_lead_writes_a_version_and_the_ones_before_stay(lena):
    made = playbooks.write(by=lena, typology="MULE", **SAID)
    assert (made.version, made.steps) == (1, ["Block it.", "Call."])
    assert playbooks.steps_for("MULE") == made.steps
    playbooks.write(by=lena, typology="MULE", **SAID | {"text": "Other.", "seen": 1})
    assert Playbook.objects.filter(typology="MULE").count() == 2
    assert playbooks.steps_for("SCAM") == list(PLAYS["SCAM"].steps)
    assert [one.version for one in playbooks.all_standing() if one.typology == "MULE"] == [2]
    assert AuditEvent.objects.filter(action="playbook.written").count() == 2


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"seen": 3}, "written meanwhile"),
        ({"text": " "}, "what it looks like"),
        ({"steps": [" "]}, "between 1 and"),
        ({"steps": ["x"] * 21}, "between 1 and"),
        ({"steps": ["a", "x" * 301]}, "Step 2 is longer"),
        ({"reason": ""}, "why it changes"),
        ({"text": PLAYS["MULE"].text, "steps": PLAYS["MULE"].steps}, "said before"),
    ],
)
def test_what_cannot_be_is_told(lena, said, sentence):
    with pytest.raises(Refused, match=sentence):
        playbooks.write(by=lena, typology="MULE", **SAID | said)


def test_analysts_read_and_leads_write(ana, lena):
    with pytest.raises(Refused, match="A lead"):
        playbooks.write(by=ana, typology="MULE", **SAID)
    assert b"Put it into force" not in client_of(ana).get("/playbooks/MULE/").content
    client = client_of(lena)
    form = {"text": "Small.", "steps": "One\r\nTwo\r\n", "reason": "Why not.", "seen": "0"}
    client.post("/playbooks/MULE/write/", form)
    assert playbooks.steps_for("MULE") == ["One", "Two"]
    answer = client.post("/playbooks/MULE/write/", form)
    assert (answer.status_code, b"written meanwhile" in answer.content) == (409, True)
    assert client.get("/playbooks/NONE/").status_code == 404
    assert b"version 1, Lena" in client.get("/playbooks/").content

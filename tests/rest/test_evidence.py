"""Evidence of cases by the API: the verbs of the page, with their refusals as problems."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cases import workflow
from cases.models import Case, Evidence, EvidenceContent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n"


@pytest.fixture
def case(ana, cards) -> Case:
    return workflow.open_case(by=ana, alerts=[making.alert(cards)])


def send(who, case, expected=201, content=PDF, name="statement.pdf", **parts):
    file = {} if content is None else {"file": SimpleUploadedFile(name, content)}
    answer = client_of(who).post(f"/api/v1/cases/{case.pk}/evidence", {**file, **parts})
    assert answer.status_code == expected, answer.content
    return answer.json()


def read(who, case, number, expected=200):
    answer = client_of(who).get(f"/api/v1/cases/{case.pk}/evidence/{number}")
    assert answer.status_code == expected, answer.content
    return answer


def test_what_is_added_is_listed_and_read_byte_for_byte(ana, case):
    told = send(ana, case, note="Her statement")
    assert told["name"] == "statement.pdf"
    assert len(told["sha256"]) == 64
    listed = asking.get(ana, f"cases/{case.pk}/evidence")
    assert [one["id"] for one in listed["results"]] == [told["id"]]
    answer = read(ana, case, told["id"])
    assert answer.content == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "parts", "status", "pointer"),
    [
        (None, {}, 400, "/file"),
        (None, {"file": "text"}, 400, "/file"),
        (b"MZ\x90", {}, 409, ""),
        (b"", {}, 409, ""),
        (bytes(10 * 1024**2 + 1), {}, 413, "/file"),
        (PDF, {"surprise": "x"}, 400, "/surprise"),
        (PDF, {"note": "x" * 501}, 400, "/note"),
    ],
)
def test_what_cannot_be_kept_is_a_problem_in_words(ana, case, content, parts, status, pointer):
    problem = send(ana, case, status, content, **parts)
    assert (problem.get("pointer") or "") == pointer
    assert problem["detail"]
    assert not Evidence.objects.exists()


def test_bytes_that_changed_are_a_conflict(ana, case):
    number = send(ana, case)["id"]
    EvidenceContent.objects.update(content=b"other")
    assert "has changed" in read(ana, case, number, 409).json()["detail"]


def test_a_foreign_case_has_no_files(ana, lena, mona, case):
    number = send(ana, case)["id"]
    read(lena, case, number, 404)
    send(lena, case, 404)
    read(mona, case, number, 403)
    send(mona, case, 403)
    read(ana, case, 10**9, 404)


def test_a_name_that_its_content_belies_is_changed_with_a_word(ana, case):
    told = send(ana, case, content=b"Only words.", name="evil.pdf")
    assert told["name"] == "evil.pdf.txt"
    assert told["notice"] == "By its content it is Text, so it is kept as evil.pdf.txt."
    assert send(ana, case)["notice"] == ""

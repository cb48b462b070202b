"""Files of a case: kept whole, named by what they are, locked with the case, checked when read."""

import hashlib
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, ProgrammingError, transaction

from anomalyshield.audit.models import AuditEvent
from cases import evidence, workflow
from cases.filekinds import kind_of
from cases.models import Case, Evidence, EvidenceContent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n1 0 obj << >> endobj\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def case(ana, cards) -> Case:
    return workflow.open_case(by=ana, alerts=[making.alert(cards)])


@pytest.fixture
def as_lena(lena, cards):
    making.queue("cards", lena)
    return client_of(lena)


def office(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as folder:
        for name in names:
            folder.writestr(name, "x")
    return packed.getvalue()


WORD = office("[Content_Types].xml", "word/document.xml")


def put(client, case, content=PDF, name="statement.pdf", **more):
    file = SimpleUploadedFile(name, content)
    return client.post(f"/cases/{case.pk}/evidence/", {"file": file, **more})


def page(client, case, **asked) -> str:
    answer = client.get(f"/cases/{case.pk}/", asked)
    assert answer.status_code == 200
    return answer.content.decode()


def closed(case, ana, lena) -> Case:
    case = workflow.propose_closure(by=ana, case=case, outcome="CONFIRMED", findings="Stolen")
    return workflow.approve_closure(by=lena, case=case, seen=case.proposal)


def test_what_is_kept_comes_back_byte_for_byte_as_a_download(as_ana, case):
    assert put(as_ana, case, evidence_note="Her bank's statement").status_code == 302
    kept = Evidence.objects.get()
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    shown = page(as_ana, case)
    for words in (kept.sha256, "statement.pdf", "Her bank", "added evidence"):
        assert words in shown
    answer = as_ana.get(f"/cases/{case.pk}/evidence/{kept.pk}/")
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="statement.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    actions = AuditEvent.objects.filter(action__startswith="case.evidence").order_by("pk")
    assert [event.action for event in actions] == ["case.evidence_added", "case.evidence_read"]


def test_bytes_that_changed_are_not_handed_out_and_the_trail_says_so(as_ana, ana, case):
    put(as_ana, case)
    kept = Evidence.objects.get()
    EvidenceContent.objects.update(content=PDF.replace(b"obj", b"OBJ"))
    answer = as_ana.get(f"/cases/{case.pk}/evidence/{kept.pk}/")
    assert answer.status_code == 409
    assert "has changed since it was added" in answer.content.decode()
    denied = AuditEvent.objects.get(action="case.evidence_read")
    assert denied.outcome == "DENIED"
    assert "is not what was added" in denied.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"MZ\x90\x00" + bytes(50), "This kind of file is not kept"),
        (b"\x7fELF" + bytes(50), "This kind of file is not kept"),
        (b"\xff\xfe<\x00h\x00", "This kind of file is not kept"),
        (b"text with a \x00 in it", "This kind of file is not kept"),
        (b"PK\x03\x04 no archive", "This kind of file is not kept"),
        (office("a.txt"), "This kind of file is not kept"),
        (office("[Content_Types].xml", "xl/a.xml", "xl/vbaProject.bin"), "is not kept"),
        (bytes(evidence.MOST_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(as_ana, case, content, words):
    answer = put(as_ana, case, content, evidence_note="my words")
    assert answer.status_code in {400, 409}
    assert words in answer.content.decode()
    assert "my words" in answer.content.decode(), "what was typed is lost"
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"file": "just text"}, {"file": ""}])
def test_a_form_without_a_file_says_so(as_ana, case, fields):
    answer = as_ana.post(f"/cases/{case.pk}/evidence/", fields)
    assert answer.status_code == 400
    assert "Choose a file first." in answer.content.decode()


def test_ten_megabytes_are_still_taken(ana, case):
    content = PDF + bytes(evidence.MOST_BYTES - len(PDF))
    kept = evidence.add(by=ana, case=case, name="large.pdf", content=content)
    assert len(evidence.content_of(by=ana, evidence=kept)) == evidence.MOST_BYTES


@pytest.mark.parametrize(
    ("content", "title"),
    [(PDF, "PDF"), (PNG, "PNG picture"), (b"\xff\xd8\xff\xe0abc", "JPEG picture"),
     (b"GIF89a..", "GIF picture"), (WORD, "Word document"), ("a;b\n1;ü\n".encode(), "Text"),
     (office("[Content_Types].xml", "xl/workbook.xml"), "Excel table"),
     (b"<html><script>alert(1)</script>", "Text"), (b"\xef\xbb\xbfa,b", "Text")],
)  # fmt: skip
def test_a_file_is_what_its_content_says(content, title):
    kind = kind_of(content)
    assert kind is not None
    assert kind.title == title


@pytest.mark.parametrize(
    ("typed", "content", "kept"),
    [
        ("invoice.exe", PDF, "invoice.exe.pdf"),
        ("../../etc/passwd", b"root", "passwd.txt"),
        ("C:\\temp\\photo.PNG", PNG, "photo.png"),
        ("gnp.\u202eexe", PNG, "gnp.exe.png"),
        ('a"b<c>.csv', b"a,b", "abc.csv"),
        ("\x00\x01", PDF, "file.pdf"),
        ("...", PDF, "file.pdf"),
        ("x" * 400 + ".pdf", PDF, "x" * 150 + ".pdf"),
        ("page.html", b"<script>alert(1)</script>", "page.html.txt"),
    ],
)
def test_a_name_is_made_harmless_and_ends_as_what_it_is(ana, case, typed, content, kept):
    assert evidence.add(by=ana, case=case, name=typed, content=content).name == kept


def test_a_page_as_evidence_is_downloaded_as_text(as_ana, case):
    put(as_ana, case, b"<script>alert(1)</script>", "page.html")
    kept = Evidence.objects.get()
    answer = as_ana.get(f"/cases/{case.pk}/evidence/{kept.pk}/")
    assert answer["Content-Type"].startswith("text/plain")
    assert answer["Content-Disposition"].startswith("attachment")


def test_the_same_content_is_kept_once(as_ana, case):
    put(as_ana, case)
    again = put(as_ana, case, name="other name.pdf")
    assert again.status_code == 409
    assert "is there already: statement.pdf" in again.content.decode()
    kept = Evidence.objects.get()
    kept.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        kept.save(force_insert=True)


def test_a_case_holds_so_many_files(ana, case, monkeypatch):
    monkeypatch.setattr(evidence, "MOST_FILES", 2)
    for n in range(2):
        evidence.add(by=ana, case=case, name="n.txt", content=b"%d" % n)
    with pytest.raises(workflow.Refused, match="no more are kept"):
        evidence.add(by=ana, case=case, name="n.txt", content=b"third")


def test_evidence_is_locked_with_the_case_and_still_read(as_ana, ana, lena, cards, case):
    making.queue("cards", lena)
    put(as_ana, case)
    case = closed(case, ana, lena)
    answer = put(as_ana, case, b"late", "late.txt")
    assert answer.status_code == 409
    assert "was closed by" in answer.content.decode()
    shown = page(as_ana, case)
    assert "locked" in shown
    assert "Keep it" not in shown
    kept = Evidence.objects.get()
    assert as_ana.get(f"/cases/{case.pk}/evidence/{kept.pk}/").content == PDF


def test_nothing_is_added_under_the_eyes_of_who_approves(as_ana, ana, case):
    workflow.propose_closure(by=ana, case=case, outcome="REFUTED", findings="Hers")
    answer = put(as_ana, case)
    assert answer.status_code == 409
    assert "Return it first" in answer.content.decode()
    assert "Keep it" not in page(as_ana, case)


def test_who_does_not_see_the_case_sees_no_file_of_it(as_ana, ana, lena, mona, case, loans):
    put(as_ana, case)
    number = Evidence.objects.get().pk
    making.queue("loans", lena)
    other = workflow.open_case(by=lena, alerts=[making.alert(loans)])
    stranger = client_of(lena)
    for address in (
        f"/cases/{case.pk}/evidence/{number}/",
        f"/cases/{other.pk}/evidence/{number}/",
    ):
        assert stranger.get(address).status_code == 404
    assert put(stranger, case).status_code == 404
    assert client_of(mona).get(f"/cases/{case.pk}/evidence/{number}/").status_code == 403
    assert put(client_of(mona), case).status_code == 403
    assert as_ana.get(f"/cases/{case.pk}/evidence/{10**9}/").status_code == 404
    assert as_ana.post(f"/cases/{case.pk}/evidence/{number}/").status_code == 405
    assert Evidence.objects.count() == 1


def test_the_timeline_is_read_by_kind(as_ana, ana, case):
    workflow.add_note(by=ana, case=case, text="Called the customer")
    put(as_ana, case)
    whole, notes = page(as_ana, case), page(as_ana, case, kind="notes")
    assert "added evidence" in whole
    assert "Called the customer" in notes
    assert "added evidence" not in notes
    assert "Evidence 1" in notes
    assert "added evidence" in page(as_ana, case, kind="evidence")
    for nonsense in ("x", "\x00", "CLOSED"):
        assert "Called the customer" in page(as_ana, case, kind=nonsense)


def test_a_list_of_files_never_reads_their_bytes(as_ana, ana, case, django_assert_max_num_queries):
    for n in range(5):
        evidence.add(by=ana, case=case, name="n.txt", content=b"%d" % n)
    page(as_ana, case)
    with django_assert_max_num_queries(12) as asked:
        page(as_ana, case)
    assert not any("evidencecontent" in one["sql"] for one in asked.captured_queries)


def test_a_file_kept_under_another_name_says_why(as_ana, case):
    put(as_ana, case, b"Only words.", "evil.pdf")
    assert "By its content it is Text, so it is kept as evil.pdf.txt." in page(as_ana, case)


def test_a_file_is_checked_where_it_lies(as_ana, ana, case):
    put(as_ana, case)
    kept = Evidence.objects.get()
    answer = as_ana.post(f"/cases/{case.pk}/evidence/{kept.pk}/check/", follow=True)
    assert "is what was added" in answer.content.decode()
    told = asking.post(ana, f"cases/{case.pk}/evidence/{kept.pk}/check")
    assert told == {"holds": True, "sha256": kept.sha256}
    EvidenceContent.objects.update(content=b"something else")
    answer = as_ana.post(f"/cases/{case.pk}/evidence/{kept.pk}/check/")
    assert (answer.status_code, "has changed" in answer.content.decode()) == (409, True)
    asking.post(ana, f"cases/{case.pk}/evidence/{kept.pk}/check", None, 409)
    trail = AuditEvent.objects.filter(action="case.evidence_checked").order_by("pk")
    assert [event.outcome for event in trail] == ["DONE", "DONE", "DENIED", "DENIED"]


# --- locked with its case -------------------------------------------------------------------------
LOCKED = {
    "changed": lambda one: Evidence.objects.filter(pk=one.pk).update(note="Another story"),
    "replaced": lambda one: EvidenceContent.objects.filter(pk=one.pk).update(content=b"other"),
    "its bytes removed": lambda one: EvidenceContent.objects.filter(pk=one.pk).delete(),
    "removed": lambda one: Evidence.objects.filter(pk=one.pk)._raw_delete("default"),
    "joined": lambda one: Evidence.objects.create(
        case=one.case, name="late.pdf", bytes=1, sha256="0" * 64, added_by=one.added_by
    ),
    "given bytes": lambda one: EvidenceContent.objects.create(evidence=one, content=b"more"),
}


@pytest.fixture
def kept(ana, case) -> Evidence:
    return evidence.add(by=ana, case=case, name="statement.pdf", content=PDF)


@pytest.mark.parametrize("deed", LOCKED)
def test_evidence_of_a_closed_case_is_not(deed, kept, ana, lena, cards):
    making.queue("cards", lena)
    closed(kept.case, ana, lena)
    before = Evidence.objects.values().get()
    with pytest.raises(ProgrammingError, match="is locked with it"), transaction.atomic():
        LOCKED[deed](kept)
    assert Evidence.objects.values().get() == before
    assert evidence.content_of(by=ana, evidence=kept) == PDF


def test_evidence_is_locked_from_the_proposal_on_and_free_again_when_it_is_returned(
    kept, ana, lena, cards
):
    making.queue("cards", lena)
    case = workflow.propose_closure(by=ana, case=kept.case, outcome="CONFIRMED", findings="Stolen")
    with pytest.raises(ProgrammingError, match="is locked with it"), transaction.atomic():
        EvidenceContent.objects.update(content=b"other")
    workflow.return_case(by=lena, case=case, reason="The bank's answer is missing.")
    evidence.add(by=ana, case=case, name="answer.png", content=PNG)
    assert case.evidence.count() == 2

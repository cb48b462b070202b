"""The pages of files and sources: what each person sees, sends and stops."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from anomalyshield.audit.models import AuditEvent
from scoring import rejects, uploads
from scoring.models import RejectedRecord, Source, Transaction, Upload
from tests.conftest import client_of, person
from tests.ingest.test_storing import work

pytestmark = pytest.mark.django_db
HEADER = "transaction_id,user_id,amount,note\n"
GOOD = HEADER + "t1,u1,10.00,x\n"


def bring(user, to, content=GOOD, name="day.csv", **fields):
    """Send a file; it waits until its columns are settled."""
    file = SimpleUploadedFile(name, content.encode())
    return client_of(user).post("/uploads/", {"file": file, "source": to.pk, **fields})


def settle(user, upload, do="start", **changes):
    """Post the preview page as it was proposed, with some changes; columns by their names."""
    address = f"/uploads/{upload.pk}/preview/"
    proposed = client_of(user).get(address).context["form"].initial
    columns = upload.options["columns"]
    said = {
        f"column-{columns.index(name)}" if name in columns else name: value
        for name, value in changes.items()
    }
    return client_of(user).post(address, {**proposed, **said, "do": do})


def send(user, to, content=GOOD, name="day.csv", **changes):
    """Send a file and start it as it was proposed."""
    answer = bring(user, to, content, name)
    assert "/preview/" in answer["Location"]
    return settle(user, Upload.objects.first(), **changes)


def page(user, address, **headers):
    return client_of(user).get(address, headers=headers)


@pytest.mark.parametrize("role", ["analyst", "engineer", "owner", "admin"])
def test_everyone_sends_a_file_and_watches_it(bank, role):
    user = person("someone", role)
    answer = send(user, bank)
    upload = Upload.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/uploads/{upload.pk}/")
    assert upload.created_by == user
    shown = page(user, answer["Location"]).content.decode()
    assert "<progress" in shown
    assert "hx-trigger" in shown
    assert "day.csv" in page(user, "/uploads/").content.decode()


def test_the_page_stops_asking_when_nothing_changes_any_more(bank, dana):
    send(dana, bank)
    Upload.objects.update(state="DONE", stage="FINISHED")
    upload = Upload.objects.get()
    part = page(dana, f"/uploads/{upload.pk}/", HX_Request="true").content.decode()
    assert part.lstrip().startswith('<div id="upload">')
    assert "hx-trigger" not in part


def test_an_analyst_sees_no_other_persons_file(bank, ana, lena, dana):
    send(lena, bank)
    pk = Upload.objects.get().pk
    for address in (f"/uploads/{pk}/", f"/uploads/{pk}/rejects.csv"):
        assert page(ana, address).status_code == 404
        assert page(dana, address).status_code == 200
    assert client_of(ana).post(f"/uploads/{pk}/cancel/").status_code == 404
    assert "day.csv" not in page(ana, "/uploads/").content.decode()


def test_the_same_file_again_is_said_and_shown(bank, dana, ana):
    send(dana, bank)
    answer = client_of(dana)
    file = SimpleUploadedFile("day.csv", GOOD.encode())
    shown = answer.post("/uploads/", {"file": file, "source": bank.pk}, follow=True)
    assert "received on" in shown.content.decode()
    assert Upload.objects.count() == 1
    assert bring(ana, bank)["Location"] == "/uploads/"  # it is dana's: said, but not shown


def test_stopping_a_file(bank, dana):
    send(dana, bank)
    pk = Upload.objects.get().pk
    assert "Stop reading" in page(dana, f"/uploads/{pk}/").content.decode()
    client_of(dana).post(f"/uploads/{pk}/cancel/")
    assert Upload.objects.get().state == "CANCELLED"
    assert "Stop reading" not in page(dana, f"/uploads/{pk}/").content.decode()
    assert client_of(dana).get(f"/uploads/{pk}/cancel/").status_code == 405


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"source": 10**9}, "not one of the available choices"),
        ({"source": "x"}, "not one of the available choices"),
        ({"file": ""}, "required"),
    ],
)
def test_a_wrong_field_is_answered_in_words_beside_it(bank, dana, fields, words):
    answer = bring(dana, bank, **fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_file_of_another_kind_is_refused_in_words(bank, dana):
    answer = bring(dana, bank, "<html>log in</html>")
    assert answer.status_code == 400
    assert "a web page" in answer.content.decode()


def test_a_full_disk_is_said_on_the_form(bank, dana, monkeypatch):
    def full(self, raw_data, start):
        from django.core.files.uploadhandler import SkipFile

        self._drop(OSError(28, "No space left on device"))
        raise SkipFile

    monkeypatch.setattr("scoring.receiving.CarefulHandler.receive_data_chunk", full)
    answer = bring(dana, bank, GOOD + "x" * 2_000_000)
    assert answer.status_code == 400
    assert "No space left on device" in answer.content.decode()


def test_the_mapping_of_the_form_is_used(bank, dana):
    columns = {"No": "transaction_id", "Who": "user_id", "Sum": "amount"}
    send(dana, bank, "No,Who,Sum\n1,u,5\n", **columns)
    work()
    assert Transaction.objects.get().external_id == "1"


# --- rejects --------------------------------------------------------------------------------------
NASTY = [
    "=1+1",
    "+cmd",
    "-2+3",
    "@sum",
    "\tx",
    "'=x",
    "''=x",
    "-12.50",
    "-",
    'q"uo,te',
    "two\nlines",
    "",
]


def test_the_rejects_are_safe_in_a_spreadsheet_and_come_back_as_they_were(bank, dana):
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([f"t{n}", f"u{n}", "wrong", note] for n, note in enumerate(NASTY))
    send(dana, bank, HEADER + out.getvalue() + "short\n")
    work()
    upload = Upload.objects.get()
    assert (upload.accepted, upload.rejected) == (0, len(NASTY) + 1)
    answer = page(dana, f"/uploads/{upload.pk}/rejects.csv")
    assert answer["Content-Disposition"] == f'attachment; filename="rejects-{upload.pk}.csv"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    content = b"".join(answer.streaming_content).decode()
    rows = list(csv.reader(io.StringIO(content)))
    assert rows[0] == [*rejects.MARKS, "transaction_id", "user_id", "amount", "note"]
    assert "amount is not a plain number" in rows[1][1]
    assert rows[-1][1].startswith("row has 1 value")
    cells = [cell for row in rows[1:] for cell in row]
    assert not [c for c in cells if c[:1] in ("=", "+", "-", "@", "\t", "\r") and c != "-12.50"]
    assert "-12.50" in cells  # a number stays a number
    # Mended and sent again, every note is what it was.
    send(dana, bank, content.replace("wrong", "1.00"), name="mended.csv")
    work()
    notes = {tx.external_id: (tx.extra or {}).get("note", "") for tx in Transaction.objects.all()}
    mended = {f"t{n}": note.strip() for n, note in enumerate(NASTY) if note != "two\nlines"}
    assert notes == mended  # a line break is a control character: the parser refuses it


def test_a_download_of_rejects_is_on_the_trail(bank, dana):
    send(dana, bank)
    pk = Upload.objects.get().pk
    page(dana, f"/uploads/{pk}/rejects.csv")
    event = AuditEvent.objects.get(action="data.exported")
    assert (event.actor, event.object_id) == ("dana", str(pk))


def test_the_page_shows_the_first_rejects_and_no_script_of_theirs(bank, dana):
    rows = "".join(f"t{n},u,<script>alert(1)</script>,x\n" for n in range(60))
    send(dana, bank, HEADER + rows)
    work()
    shown = page(dana, f"/uploads/{Upload.objects.get().pk}/").content.decode()
    assert "<script>alert" not in shown
    assert shown.count("is not a plain number") == 50
    assert "Download all 60" in shown


# --- sources --------------------------------------------------------------------------------------
def test_the_sources_page_tells_what_came_from_each(bank, dana):
    Source.objects.create(name="quiet", kind="parquet")
    send(dana, bank, GOOD + "t2,u,bad,x\n")
    work()
    RejectedRecord.objects.create(source=bank, position=0, record={}, reasons={})
    shown = page(dana, "/sources/")
    found = {source.name: source for source in shown.context["sources"]}
    assert (found["bank"].files, found["bank"].rows, found["bank"].rejected) == (1, 1, 2)
    assert (found["quiet"].files, found["quiet"].rows, found["quiet"].rejected) == (0, 0, None)
    assert found["bank"].last == Upload.objects.get().created_at


FIELDS = {"name": "acquirer", "title": "", "kind": "csv", "currency": "usd", "timezone": "UTC"}


def test_a_source_is_made_and_changed_on_the_trail(dana):
    client = client_of(dana)
    form = {**FIELDS, "mapping": "Sum = amount", "active": "on"}
    said = client.post("/sources/new/", form, follow=True).content.decode()
    assert "The source acquirer is made." in said
    source = Source.objects.get()
    assert (source.name, source.currency, source.mapping) == ("acquirer", "USD", {"Sum": "amount"})
    changed = {**FIELDS, "name": "other", "timezone": "Asia/Kolkata"}
    assert client.post(f"/sources/{source.pk}/", changed).status_code == 302
    source.refresh_from_db()
    assert (source.name, source.timezone, source.active) == ("acquirer", "Asia/Kolkata", False)
    made, altered = AuditEvent.objects.filter(action__startswith="source.").order_by("pk")
    assert (made.action, altered.action) == ("source.made", "source.changed")
    assert (altered.before["timezone"], altered.after["timezone"]) == ("UTC", "Asia/Kolkata")


@pytest.mark.parametrize(
    "field, value, words",
    [
        ("name", "", "required"),
        ("name", "two words", "letters, numbers, underscores or hyphens"),
        ("name", "bank", "already exists"),
        ("kind", "fax", "not one of the available choices"),
        ("currency", "U$D", "not a code of 3 letters"),
        ("timezone", "Moon/Base", "not the name of a time zone"),
        ("mapping", "x", "is not “their column = our field”"),
        ("mapping", "x = colour", "not one of our fields"),
    ],
)
def test_a_source_that_makes_no_sense_is_refused_in_words(bank, dana, field, value, words):
    answer = client_of(dana).post("/sources/new/", {**FIELDS, field: value})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert Source.objects.count() == 1


@pytest.mark.parametrize("text", NASTY)
def test_what_is_made_harmless_can_be_taken_back(text):
    assert rejects.restored(rejects.harmless(text)) == text


def test_a_cancelled_upload_says_so(bank, dana):
    send(dana, bank)
    uploads.cancel(by=dana, upload=Upload.objects.get())
    assert "Cancelled" in page(dana, f"/uploads/{Upload.objects.get().pk}/").content.decode()

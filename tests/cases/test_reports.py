"""Reports of a case: the five sections, the draft from its rows, two people, and the files."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from alerts.guards import Refused
from anomalyshield.audit.models import AuditEvent
from cases import evidence, narrative, report_export, reporting, sections, workflow
from cases.facts import facts_of
from cases.models import Case, Clock, Report
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 21)
S = Report.State
TOLD = "The customer reported three payments which were not theirs, made within minutes. " * 4
COMPLETE = {
    "subject": {"known": "yes", "name": "M. Example", "customer": "c-1", "relation": "Customer"},
    "activity": {
        "began": "2026-11-02", "ended": "2026-11-03", "amount": "1,250.00", "currency": "USD",
        "typology": "Card testing",
    },
    "institution": {"name": "House", "address": "1 Street", "identifier": "123"},
    "contact": {"name": "Fraud desk", "phone": "+1 555 0100"},
    "narrative": {"text": TOLD},
}  # fmt: skip


def changed(section: str, **fields: str) -> dict:
    return {**COMPLETE, section: {**COMPLETE[section], **fields}}


# --- the five sections
def test_a_report_with_all_it_takes_is_complete():
    assert sections.missing(COMPLETE, TODAY) == []
    assert set(sections.complete(COMPLETE, TODAY).values()) == {True}
    assert len(sections.missing(sections.empty(), TODAY)) == 15


@pytest.mark.parametrize(
    "section, fields, field, sentence",
    [
        ("subject", {"name": ""}, "name", "Name or firm is missing"),
        ("subject", {"known": "perhaps"}, "known", "yes or no"),
        ("subject", {"born": "1970"}, "born", "no date"),
        ("activity", {"began": "yesterday"}, "began", "no date"),
        ("activity", {"ended": "2027-01-01"}, "ended", "still to come"),
        ("activity", {"ended": "2026-11-01"}, "ended", "before it began"),
        ("activity", {"amount": "much"}, "amount", "no amount"),
        ("activity", {"amount": "-5"}, "amount", "no amount"),
        ("activity", {"amount": "0"}, "amount", "no amount"),
        ("activity", {"amount": "NaN"}, "amount", "no amount"),
        ("activity", {"currency": "dollars"}, "currency", "no currency code"),
        ("institution", {"identifier": " "}, "identifier", "is missing"),
        ("contact", {"phone": ""}, "phone", "Telephone is missing"),
        ("narrative", {"text": "Fraud."}, "text", "do not tell who"),
        ("narrative", {"text": f"{TOLD} See attachment."}, "text", "not accepted"),
        ("narrative", {"text": f"{TOLD} [Say why.]"}, "text", "Still to be said"),
    ],
)
def test_what_is_missing_is_named_with_its_field(section, fields, field, sentence):
    [found] = sections.missing(changed(section, **fields), TODAY)
    assert (found.section, found.field) == (section, field)
    assert sentence in found.sentence
    assert not sections.complete(changed(section, **fields), TODAY)[section]


def test_of_an_unknown_subject_nothing_is_asked():
    unknown = {**COMPLETE, "subject": {"known": "no"}}
    assert sections.missing(unknown, TODAY) == []


@given(
    st.dictionaries(
        st.sampled_from(["subject", "activity", "narrative", "other"]),
        st.dictionaries(st.sampled_from(["name", "began", "amount", "text", "x"]), st.text()),
    )
)
def test_whatever_is_typed_is_kept_cut_or_left_out_and_never_breaks(content):
    said = sections.cleaned(content)
    assert set(said) == {one.name for one in sections.SECTIONS}
    sections.missing(said, TODAY)
    assert sections.cleaned(said) == said


# --- the case behind it
@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


@pytest.fixture
def case(ana, cards) -> Case:
    about = {"card_id": "card-7", "device_id": "phone-3", "merchant_name": "Shop 24", "mcc": "5999"}
    moment = datetime(2026, 11, 2, 10, 15, tzinfo=UTC)
    alerts = [
        making.alert(
            cards,
            amount=f"{number * 100}.50",
            event_time=moment + timedelta(hours=number),
            location="Lyon" if number % 2 else "Nice",
            reason_codes=["HIGH_AMOUNT"],
            **about,
        )
        for number in (1, 2, 3)
    ]
    case = workflow.open_case(by=ana, alerts=alerts)
    evidence.add(by=ana, case=case, name="call.txt", content=b"She has her card.")
    return case


@pytest.fixture
def report(ana, case) -> Report:
    return reporting.begin(by=ana, case=case, on=timezone.now().date())


@pytest.fixture
def written(ana, report) -> Report:
    report = reporting.step(by=ana, report=report, step="prepare")
    reporting.save(by=ana, report=report, content=COMPLETE)
    return report


@pytest.fixture
def approved(ana, bert, written) -> Report:
    asked = reporting.step(by=ana, report=written, step="submit")
    return reporting.step(by=bert, report=asked, step="approve", seen=asked.proposal)


def filed(ana, report: Report, on: date | None = None) -> Report:
    day = on or timezone.now().date()
    return reporting.step(by=ana, report=report, step="file", on=day, reference="31000")


# --- the draft
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def numbers_of_rows(facts) -> set[str]:
    """Everything a draft may count, sum or quote, worked out anew from the rows."""
    case, payments = facts.case, facts.payments
    texts = [str(case), case.subject, case.findings, f"{case.opened_at:%Y-%m-%d}"]
    counts = range(len(payments) + 1)
    sums = {0}
    for one in payments:
        sums |= {known + one.row.amount for known in sums}
        row = one.row
        texts += [row.user_id, row.card_id, row.device_id, row.merchant_name, row.location]
        texts += [f"{row.amount:,.2f}", f"{row.event_time:%Y-%m-%d %H:%M}"]
    for alert in facts.alerts:
        texts += [str(alert), f"{alert.risk_score:.2f}", alert.top_reason]
        texts += [f"{alert.created_at:%Y-%m-%d}", f"{alert.closed_at or alert.created_at:%Y-%m-%d}"]
    for one in facts.evidence:
        texts += [one.name, one.title, f"{one.added_at:%Y-%m-%d}"]
    texts += [f"{total:,.2f}" for total in sums] + [str(count) for count in counts]
    return {number for text in texts for number in NUMBER.findall(text)}


def test_every_number_of_the_draft_comes_from_a_row(ana, case):
    facts = facts_of(case, ana)
    told = narrative.sentences(facts)
    known = numbers_of_rows(facts)
    for sentence in told:
        strange = set(NUMBER.findall(sentence.text)) - known
        assert not strange, (sentence.text, strange)
    assert {one.heading for one in told} == {
        "Who", "What", "When", "Where", "Why", "How", "What was done",
    }  # fmt: skip


def test_every_sentence_names_rows_that_exist_or_asks_a_person(ana, case):
    facts = facts_of(case, ana)
    rows = {f"T-{one.row.pk}" for one in facts.payments} | {str(one) for one in facts.alerts}
    rows |= {str(case)} | {f"E-{one.pk}" for one in facts.evidence}
    for sentence in narrative.sentences(facts):
        assert set(sentence.rows) <= rows
        assert sentence.rows or sections.PROMPT.fullmatch(sentence.text)


def test_the_sums_of_the_draft_are_right(ana, case):
    said = " ".join(one.text for one in narrative.sentences(facts_of(case, ana)))
    assert "3 payments, 601.50 USD, were made." in said
    assert "The largest was 300.50 USD to Shop 24 on 2026-11-02 at 13:15 UTC." in said
    assert "Made in Lyon: 2 payments, 401.00 USD." in said
    assert "With the card card-7: 3 payments, 601.50 USD." in said


def test_what_is_sent_names_no_rows_of_ours(ana, case):
    text = narrative.drafted(facts_of(case, ana))
    assert "[T-" in text
    plain = narrative.plain(text)
    assert not re.search(r"\[[TACE]-", plain)
    assert "[Say what is usual" in plain


def test_many_rows_are_named_by_the_first_and_the_last():
    assert narrative.named([f"T-{n}" for n in range(100)]) == "T-0, T-1 … T-99"
    assert narrative.plain("Said. [T-0, T-1 … T-99] More.") == "Said. More."


def test_nobody_drafts_from_half_a_case(ana, lena, cards, loans, case):
    for queue in ("cards", "loans"):
        making.queue(queue, lena)
    workflow.add_alert(by=lena, case=case, alert=making.alert(loans))
    with pytest.raises(Refused, match="a queue you do not work"):
        facts_of(case, ana)
    assert len(facts_of(case, lena).payments) == 4


def test_a_draft_fills_what_rows_say_and_keeps_what_people_said(ana, written):
    own = {**COMPLETE, "activity": {**COMPLETE["activity"], "amount": "5.00", "began": ""}}
    reporting.save(by=ana, report=written, content=own)
    version = reporting.draft(by=ana, report=written)
    assert version.content["activity"]["amount"] == "5.00"
    assert version.content["activity"]["began"] == "2026-11-02"
    assert version.content["subject"]["name"] == "M. Example"
    assert version.content["narrative"]["text"].startswith("Who: ")


# --- the way of a report
def test_a_report_begins_with_a_determination_and_its_clock(ana, case, report):
    assert (report.state, report.number) == ("DECISION_PENDING", 1)
    assert case.clocks.get(kind=Clock.Kind.REG_FILING).days == 30
    with pytest.raises(Refused, match="under way already"):
        reporting.begin(by=ana, case=case, on=timezone.now().date())


def test_versions_are_kept_and_saying_the_same_makes_none(ana, bert, written):
    assert reporting.save(by=bert, report=written, content=COMPLETE).number == 1
    second = reporting.save(by=bert, report=written, content=changed("contact", phone="1"))
    assert (second.number, second.by) == (2, bert)
    assert [one.content["contact"]["phone"] for one in written.versions.all()] == [
        "1",
        "+1 555 0100",
    ]


def test_what_is_not_complete_is_not_submitted(ana, written):
    reporting.save(by=ana, report=written, content=changed("contact", name="", phone=""))
    with pytest.raises(Refused, match=r"not complete\. Name or office is missing\. And 1 more"):
        reporting.step(by=ana, report=written, step="submit")


def test_a_second_person_approves_what_they_read(ana, bert, written):
    asked = reporting.step(by=ana, report=written, step="submit")
    with pytest.raises(Refused, match="A second person has to give it"):
        reporting.step(by=ana, report=asked, step="approve", seen=asked.proposal)
    with pytest.raises(Refused, match="changed while you were reading"):
        reporting.step(by=bert, report=asked, step="approve", seen="something")
    with pytest.raises(Refused, match="its words stay"):
        reporting.save(by=ana, report=asked, content=sections.empty())
    done = reporting.step(by=bert, report=asked, step="approve", seen=asked.proposal)
    assert (done.state, done.approved_by) == ("APPROVED", bert)


def test_the_database_lets_nobody_agree_to_their_own(ana, written):
    row = Report.objects.filter(pk=reporting.step(by=ana, report=written, step="submit").pk)
    for person in (ana, None):
        with pytest.raises(IntegrityError, match="report_approved"), transaction.atomic():
            row.update(state="APPROVED", approved_by=person)


def test_returned_it_is_written_again(ana, bert, written):
    asked = reporting.step(by=ana, report=written, step="submit")
    back = reporting.step(by=bert, report=asked, step="return", reason="Which shop?")
    assert (back.state, back.answer, back.submitted_by) == ("DRAFT", "Which shop?", None)


def test_filed_it_stops_the_clock_and_may_be_acknowledged_or_rejected(ana, approved, case):
    tomorrow = timezone.now().date() + timedelta(days=2)
    with pytest.raises(Refused, match="still to come"):
        reporting.step(by=ana, report=approved, step="file", on=tomorrow)
    with pytest.raises(Refused, match="Say on which day"):
        reporting.step(by=ana, report=approved, step="file")
    done = filed(ana, approved)
    assert case.clocks.get(kind="REG_FILING").stopped_at is not None
    no = reporting.step(by=ana, report=done, step="reject", reason="Box 4 is empty.")
    running = case.clocks.get(kind="REG_FILING")
    assert (running.stopped_at, running.days) == (None, 30), "what was rejected is still owed"
    again = reporting.step(by=ana, report=no, step="amend", reason="Box 4.")
    assert (again.state, again.is_written, again.approved_by) == ("AMENDED", True, None)


def test_what_goes_on_is_reported_again(ana, approved, case):
    done = filed(ana, approved, date(2026, 11, 2))
    went_on = reporting.step(by=ana, report=done, step="continue")
    assert went_on.state == S.CONTINUING
    following = case.reports.get(number=2)
    assert (following.state, following.continues) == ("NOT_STARTED", went_on)
    assert case.clocks.get(kind="CONTINUING").determined_on == date(2026, 11, 2)
    following = reporting.step(by=ana, report=following, step="consider")
    following = reporting.step(by=ana, report=following, step="prepare")
    drafted = reporting.draft(by=ana, report=following)
    assert drafted.content["institution"]["name"] == "House"  # as last time


def test_not_to_file_is_decided_by_two_with_a_reason(ana, bert, report, case):
    asked = reporting.decline(by=ana, report=report, no_file="EXPLAINED", reason="Her own card.")
    assert asked.asks_not_to_file
    with pytest.raises(Refused, match="Answer that first"):
        reporting.step(by=ana, report=asked, step="prepare")
    with pytest.raises(Refused, match="A second person"):
        reporting.step(by=ana, report=asked, step="confirm", seen=asked.proposal)
    done = reporting.step(by=bert, report=asked, step="confirm", seen=asked.proposal)
    assert (done.state, done.approved_by) == ("NO_FILE", bert)
    assert case.clocks.get(kind="REG_FILING").stopped_at is not None
    again = reporting.step(by=bert, report=done, step="reconsider", reason="A second card.")
    assert (again.state, again.no_file) == ("DECISION_PENDING", "")
    assert case.clocks.get(kind="REG_FILING").stopped_at is None


def test_whoever_does_not_agree_says_why(ana, bert, report):
    asked = reporting.decline(by=ana, report=report, no_file="OTHER", reason="x")
    with pytest.raises(Refused, match="Say why"):
        reporting.step(by=bert, report=asked, step="doubt")
    back = reporting.step(by=bert, report=asked, step="doubt", reason="Look at the device.")
    assert (back.state, back.asks_not_to_file, back.answer) == (
        "DECISION_PENDING", False, "Look at the device.",
    )  # fmt: skip


def test_alone_one_person_may_where_the_house_says_so(ana, report, settings):
    settings.FOUR_EYES = False
    done = reporting.decline(by=ana, report=report, no_file="OTHER", reason="x")
    assert (done.state, done.four_eyes) == ("NO_FILE", False)


@pytest.mark.parametrize("name", [*reporting.STEPS])
def test_a_step_that_does_not_fit_is_refused_in_words(ana, report, name):
    if report.state in reporting.STEPS[name].sources and name == "prepare":
        return
    more = {"seen": report.proposal, "reason": "x", "reference": "x", "on": date(2026, 11, 2)}
    with pytest.raises(Refused, match=r"does not fit now|Nobody has proposed"):
        reporting.step(by=ana, report=report, step=name, **more)


def test_the_trail_of_a_report_holds_no_words_of_it(ana, approved):
    trail = AuditEvent.objects.filter(action__startswith="report.")
    assert [event.action for event in trail.order_by("pk")] == [
        "report.begun", "report.prepare", "report.saved", "report.submit", "report.approve",
    ]  # fmt: skip
    assert not [one for one in trail if "Example" in f"{one.before}{one.after}{one.reason}"]


# --- files
def test_the_table_is_a_line_a_payment_and_no_formula(ana, cards, bert):
    alert = making.alert(cards, user="=cmd|' /C calc'!A0", merchant_name="+1 Shop")
    case = workflow.open_case(by=ana, alerts=[alert])
    made = reporting.begin(by=ana, case=case, on=timezone.now().date())
    name, content = report_export.exported(by=ana, report=made, kind="csv")
    assert name == f"{case}-report-1.csv"
    [titles, line] = csv.reader(io.StringIO(content.decode()))
    told = dict(zip(titles, line, strict=True))
    assert (told["Customer"], told["Merchant"]) == ("'=cmd|' /C calc'!A0", "'+1 Shop")
    assert (told["Amount"], told["Row"]) == ("250.00", f"T-{alert.transaction_id}")
    event = AuditEvent.objects.filter(action="data.exported").latest("pk")
    assert (event.object_id, event.after["kind"]) == (str(case.pk), "csv")


def test_a_table_that_is_too_large_says_how_to_split_it(ana, case, report, monkeypatch):
    monkeypatch.setattr(report_export, "LARGEST", 320)
    with pytest.raises(Refused, match=r"Ask for it in 2 parts: add \?part=1&of=2"):
        report_export.exported(by=ana, report=report, kind="csv")
    parts = [
        report_export.exported(by=ana, report=report, kind="csv", part=part, of=3)[1]
        for part in (1, 2, 3)
    ]
    rows = [line[0] for part in parts for line in csv.reader(io.StringIO(part.decode()))]
    assert [row for row in rows if row != "Row"] == [
        f"T-{one.row.pk}" for one in facts_of(case, ana).payments
    ]
    with pytest.raises(Refused, match="no part 4 of 3"):
        report_export.exported(by=ana, report=report, kind="csv", part=4, of=3)


def test_the_whole_as_json_and_as_pdf(ana, approved):
    _, content = report_export.exported(by=ana, report=approved, kind="json")
    told = json.loads(content)
    assert told["sections"]["subject"]["name"] == "M. Example"
    assert (told["decision"]["asked_by"], told["decision"]["approved_by"]) == ("ana", "bert")
    assert len(told["transactions"]) == 3
    _, content = report_export.exported(by=ana, report=approved, kind="pdf")
    assert content.startswith(b"%PDF-")


def test_not_filing_is_exported_as_well_as_filing(ana, bert, report):
    asked = reporting.decline(by=ana, report=report, no_file="EXPLAINED", reason="Her own card.")
    done = reporting.step(by=bert, report=asked, step="confirm", seen=asked.proposal)
    _, content = report_export.exported(by=ana, report=done, kind="json")
    told = json.loads(content)["decision"]
    assert (told["no_file"], told["reason"], told["approved_by"]) == (
        "EXPLAINED", "Her own card.", "bert",
    )  # fmt: skip
    assert report_export.exported(by=ana, report=done, kind="pdf")[1].startswith(b"%PDF-")


# --- pages and programs
def flat(content: dict) -> dict[str, str]:
    return {f"{s}-{f}": text for s, fields in content.items() for f, text in fields.items()}


def test_a_report_on_its_pages(as_ana, ana, bert, case):
    today = timezone.now().date()
    assert as_ana.post(f"/cases/{case.pk}/reports/", {"on": ""}).status_code == 400
    as_ana.post(f"/cases/{case.pk}/reports/", {"on": f"{today}", "subject_known": "on"})
    where = f"/cases/{case.pk}/reports/1/"
    assert "Is a report due?" in as_ana.get(where).content.decode()
    assert as_ana.post(f"{where}step/", {"step": "nonsense"}).status_code == 400
    as_ana.post(f"{where}step/", {"step": "prepare"})
    as_ana.post(f"{where}draft/")
    page = as_ana.get(where).content.decode()
    assert "3 payments, 601.50 USD, were made." in page
    answer = as_ana.post(where, {**flat(COMPLETE), "contact-phone": "", "check": "1"}, follow=True)
    assert "Telephone is missing." in answer.content.decode()
    assert as_ana.post(f"{where}step/", {"step": "submit"}).status_code == 409
    as_ana.post(where, {**flat(COMPLETE), "check": "1"})
    assert "All five sections are complete." in as_ana.get(f"{where}?check=1").content.decode()
    assert "+1 555 0100" not in as_ana.get(f"{where}?version=1").content.decode()
    as_ana.post(f"{where}step/", {"step": "submit"})
    theirs = client_of(bert)
    seen = theirs.get(where).content.decode().split('name="seen" value="')[1].split('"')[0]
    assert as_ana.post(f"{where}step/", {"step": "approve", "seen": seen}).status_code == 409
    assert AuditEvent.objects.get(outcome="DENIED").action == "report.approve"
    theirs.post(f"{where}step/", {"step": "approve", "seen": seen})
    as_ana.post(f"{where}step/", {"step": "file", "on": f"{today}", "reference": "31000"})
    assert case.reports.get().state == S.FILED
    for kind, media in (("pdf", "application/pdf"), ("csv", "text/csv; charset=utf-8")):
        file = as_ana.get(f"{where}as/{kind}/")
        assert (file["Content-Type"], file.status_code) == (media, 200)
        assert "attachment" in file["Content-Disposition"]
    assert as_ana.get(f"{where}as/exe/").status_code == 404
    assert as_ana.get(f"{where}as/csv/?part=x").status_code == 409
    assert as_ana.get(f"/cases/{case.pk}/reports/9/").status_code == 404
    assert "Report 1" in as_ana.get(f"/cases/{case.pk}/").content.decode()


def test_a_report_for_programs(ana, bert, case, mona):
    where = f"cases/{case.pk}/reports"
    made = asking.post(ana, where, {"on": f"{timezone.now().date()}"}, 201)
    assert (made["state"], made["steps"]) == ("DECISION_PENDING", ["prepare"])
    asking.post(ana, f"{where}/1/step", {"step": "prepare"})
    told = asking.post(ana, f"{where}/1/draft")
    assert told["content"]["activity"]["amount"] == "601.50"
    told = asking.patch(ana, f"{where}/1", {"contact": {"phone": "1"}})
    assert (told["content"]["contact"]["phone"], told["version"]) == ("1", 2)
    assert {one["section"] for one in told["missing"]} >= {"institution", "subject"}
    asking.patch(ana, f"{where}/1", {"contact": {"fax": "1"}}, 400)
    asking.post(ana, f"{where}/1/step", {"step": "submit"}, 409)
    asking.patch(ana, f"{where}/1", COMPLETE)
    told = asking.post(ana, f"{where}/1/step", {"step": "submit"})
    asking.post(ana, f"{where}/1/step", {"step": "approve", "seen": told["proposal"]}, 409)
    told = asking.post(bert, f"{where}/1/step", {"step": "approve", "seen": told["proposal"]})
    assert told["approved_by"] == "bert"
    assert [one["number"] for one in asking.get(ana, where)["results"]] == [1]
    file = client_of(ana).get(f"/api/v1/{where}/1/export", {"kind": "json"})
    assert file.json()["report"] == 1
    asking.get(ana, f"{where}/1/export", 400, kind="exe")
    asking.get(mona, f"{where}/1", 403)
    asking.post(ana, f"{where}/1/decline", {"no_file": "OTHER", "reason": "x"}, 409)

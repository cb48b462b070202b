"""Lists by file: all lines or none, and each wrong one with its number, column and sentence."""

from datetime import UTC, datetime

import pytest

from anomalyshield.audit.models import AuditEvent
from scoring import listed, listfile
from scoring.models import ListEntry
from tests.lists.making import denied, soon

pytestmark = pytest.mark.django_db
HEADER = "list,type,value,reason,expires"


def file(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def troubles(ana, content: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(listfile.Unreadable) as refusal:
        listfile.take_over(by=ana, content=content)
    assert not ListEntry.objects.filter(behind="a file").exists()
    return [tuple(one) for one in refusal.value.troubles]


def test_every_line_is_put_on_its_list(ana):
    until = f"{soon(20):%Y-%m-%d}"
    made = listfile.take_over(
        by=ana,
        content=file(
            "deny,card,c1,stolen,",
            f"Allow,Merchant,Acme Shop,own shop,{until}",
            f'deny,user,"u,1",with a comma,{until}T10:00+02:00',
            "",
        ),
    )
    assert [(one.kind, one.entity, one.value, one.state) for one in made] == [
        ("DENY", "card", "c1", "ACTIVE"),
        ("ALLOW", "merchant", "Acme Shop", "PROPOSED"),
        ("DENY", "user", "u,1", "ACTIVE"),
    ]
    assert len(listed.in_force()[0]) == 2
    assert AuditEvent.objects.get(action="list.imported").after["entries"] == 3


def test_a_day_ends_at_its_end(ana):
    day = soon(20).date()
    [entry] = listfile.take_over(by=ana, content=file(f"deny,card,c1,stolen,{day}"))
    assert entry.expires_at > datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark_are_fine(ana, delimiter):
    content = file("deny,card,c1,stolen,").decode().replace(",", delimiter)
    assert len(listfile.take_over(by=ana, content=content.encode("utf-8-sig"))) == 1


def test_what_stands_there_already_changes_nothing(ana):
    denied(ana)
    assert listfile.take_over(by=ana, content=file("deny,card,c1,stolen,")) == []
    assert len(listfile.take_over(by=ana, content=file(*["deny,card,c2,stolen,"] * 3))) == 1


def test_one_wrong_line_and_nothing_is_taken_over(ana):
    found = troubles(
        ana,
        file(
            "deny,card,c1,stolen,",
            "grey,card,c2,x,",
            "deny,city,Delhi,x,",
            "deny,card,,x,",
            "deny,card,c3,,",
            "deny,card,c4,x,tomorrow",
            "allow,card,c5,x,",
            "deny,card",
        ),
    )
    assert [(line, field) for line, field, _ in found] == [
        (3, "list"), (4, "type"), (5, "value"), (6, "reason"), (7, "expires"), (8, "expires"),
        (9, "value"),
    ]  # fmt: skip


def test_who_is_denied_is_not_allowed_in_the_same_breath(ana):
    entry, until = denied(ana, "user", "u9"), f"{soon(9):%Y-%m-%d}"
    lines = [f"allow,card,c1,x,{until}", "deny,card,c1,x,", f"allow,user,u9,x,{until}"]
    assert troubles(ana, file(*lines)) == [
        (2, "list", "Line 3 denies the same card."),
        (4, "value", f"This user is on the deny list: end {entry} first."),
    ]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "lacks list, type, value, reason"),
        (b"list,type,value\n", "lacks reason"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"%PDF-1.7\n\xe2\xe3", "not UTF-8"),
        (HEADER.encode() + b'\ndeny,card,"c1', "Not CSV"),
        (b"x" * 2_000_001, "At most 2 MB"),
        (file(*["deny,card,c,x,"] * 5001), "At most 5,000 lines"),
    ],
)
def test_what_is_no_such_file_is_said_in_words(ana, content, words):
    assert words in troubles(ana, content)[0][2]


def test_of_many_troubles_fifty_are_told(ana):
    with pytest.raises(listfile.Unreadable) as refusal:
        listfile.take_over(by=ana, content=file(*["grey,card,c1,x,"] * 80))
    assert (len(refusal.value.troubles), refusal.value.more) == (50, 30)

"""Evidence of a case: files kept whole, named by what they are, and checked whenever they are read.

The bytes lie in the database, with the row that tells of them: one backup has both, one transaction
writes both, and no path on a disk is ever made of a name somebody typed.
"""

import hashlib
import re
import unicodedata
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from anomalyshield.audit.record import denied, record
from cases.filekinds import TAKEN, Kind, kind_of
from cases.models import Case, CaseEvent, Evidence, EvidenceContent
from cases.states import Refused, takes_content
from cases.steps import locked, tell

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 50  # of one case
NAME_LENGTH = 150


class Damaged(Refused):
    """The bytes are no longer those that were added."""


@transaction.atomic
def add(*, by: Any, case: Case, name: str, content: bytes, note: str = "") -> Evidence:
    """Keep a file with an open case. Refused, with a sentence, if it is not what may be kept."""
    kind = _kind(content)
    case = locked(case)
    takes_content(case)
    sha256 = hashlib.sha256(content).hexdigest()
    _room_for(case, sha256)
    kept = Evidence.objects.create(
        case=case,
        name=named(name, kind),
        media_type=kind.media_type,
        title=kind.title,
        bytes=len(content),
        sha256=sha256,
        note=note,
        added_by=by,
    )
    EvidenceContent.objects.create(evidence=kept, content=content)
    tell(case, CaseEvent.Kind.EVIDENCE, by, f"{kept.name}, SHA-256 {sha256}")
    after = {"name": kept.name, "sha256": sha256, "bytes": kept.bytes, "kind": kept.title}
    record(by=by, action="case.evidence_added", object=case, after=after, reason=note)
    return kept


def content_of(*, by: Any, evidence: Evidence) -> bytes:
    """The bytes as they were added; who reads them is on the trail.

    Damaged, and on the trail too, if they have changed since: such a file proves nothing.
    """
    content = _whole(by, evidence, "case.evidence_read")
    after = {"name": evidence.name, "sha256": evidence.sha256}
    record(by=by, action="case.evidence_read", object=evidence.case, after=after)
    return content


def check(*, by: Any, evidence: Evidence) -> None:
    """Look whether its bytes are still those that were added. Raises Damaged; both are on the
    trail."""
    _whole(by, evidence, "case.evidence_checked")
    after = {"name": evidence.name, "sha256": evidence.sha256, "holds": True}
    record(by=by, action="case.evidence_checked", object=evidence.case, after=after)


def _whole(by: Any, evidence: Evidence, action: str) -> bytes:
    content = bytes(EvidenceContent.objects.get(evidence=evidence).content)
    found = hashlib.sha256(content).hexdigest()
    if found != evidence.sha256 or len(content) != evidence.bytes:
        reason = _("{name} of {case} is not what was added: SHA-256 {found}").format(
            name=evidence.name, case=evidence.case, found=found
        )
        denied(by=by, action=action, object=evidence.case, reason=reason)
        raise Damaged(
            _("{name} has changed since it was added. It is not handed out.").format(
                name=evidence.name
            )
        )
    return content


def named(name: str, kind: Kind) -> str:
    """A file name without path, without letters that hide or turn others, ending as its kind."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Categories C*: control and format characters, among them those that turn the direction.
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '"<>:|?*')
    stem, dot, ending = plain.strip(" .").rpartition(".")
    if dot and ending.lower() in kind.endings:
        return f"{stem[:NAME_LENGTH] or 'file'}.{ending.lower()}"
    return f"{plain.strip(' .')[:NAME_LENGTH] or 'file'}.{kind.endings[0]}"


def renaming(sent: str, kept: Evidence) -> str:
    """Why a file is not kept under the name it was sent with; empty where it is."""
    if sent == kept.name:
        return ""
    ending = sent.rpartition(".")[2].lower()
    if kept.name.endswith(f".{ending}"):
        return _("It is kept as {name}: its name was made plain.").format(name=kept.name)
    return _("By its content it is {title}, so it is kept as {name}.").format(
        title=kept.title, name=kept.name
    )


def _kind(content: bytes) -> Kind:
    if not content:
        raise Refused(_("The file is empty."))
    if len(content) > MOST_BYTES:
        raise Refused(
            _("The file is larger than {most_bytes} MB.").format(most_bytes=MOST_BYTES // 1024**2)
        )
    kind = kind_of(content)
    if kind is None:
        raise Refused(
            _("This kind of file is not kept as evidence. Taken are {taken}.").format(taken=TAKEN)
        )
    return kind


def _room_for(case: Case, sha256: str) -> None:
    kept = list(case.evidence.all())
    for one in kept:
        if one.sha256 == sha256:
            raise Refused(_("The same content is there already: {name}.").format(name=one.name))
    if len(kept) >= MOST_FILES:
        raise Refused(
            _("{case} holds {most_files} files: no more are kept with one case.").format(
                case=case, most_files=MOST_FILES
            )
        )

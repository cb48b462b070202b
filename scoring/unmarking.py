"""That a field is personal no longer: asked by one person, agreed to by a second.

What is stored stays sealed; what comes from then on is stored, shown and sent on in the clear.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.asking import Asked, Refused, answered, attempt, held, second, still_may
from anomalyshield.audit.record import record
from scoring.models import Source, Unmarking
from scoring.sourcing import changed_marks

State = Asked.State
RIGHT = "source.unmark"
LONGEST_REASON = 2000
OWN = _lazy("You asked for it; a second person must agree.")


@transaction.atomic
def ask(*, by: Any, source: Source, names: Sequence[str], reason: str) -> Unmarking:
    """Ask that these fields be personal no longer; one such question of a source at a time."""
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    wanted = _declared(source, names)
    if not reason.strip() or len(reason) > LONGEST_REASON or "\x00" in reason:
        raise Refused(fields={"reason": _("Write a reason: it is kept in the audit trail.")})
    if first := source.unmarkings.waiting().told().first():
        raise Refused(
            _("{asked_by} asked for {names} already. Answer that one first.").format(
                asked_by=first.asked_by, names=", ".join(first.names)
            )
        )
    asked = Unmarking.objects.create(source=source, names=wanted, reason=reason, asked_by=by)
    record(by=by, action="source.unmark_asked", object=source, after={"pii": wanted}, reason=reason)
    return asked


def approve(*, by: Any, request: Unmarking, answer: str = "") -> Source:
    """Take the marks off as a second person: a version of the source, in force at once.

    An attempt that is refused leaves its row in the audit trail.
    """
    with attempt(by, "source.unmarked", request.source):
        return _approved(by=by, request=request, answer=answer)


@transaction.atomic
def _approved(*, by: Any, request: Unmarking, answer: str) -> Source:
    source = Source.objects.select_for_update(no_key=True).get(pk=request.source_id)
    request = held(request)
    lost = _("{by} may not say that a field is personal no longer.").format(by=by)
    second(by, request, right=RIGHT, lost=lost, own=OWN)
    before = source.pii
    after = [name for name in before if name not in request.names]
    if after == before:
        raise Refused(_("They are not personal any more: nothing would change."))
    changed_marks(by=by, source=source, pii=after)
    four_eyes = settings.FOUR_EYES
    answered(request, by, State.APPROVED, answer, four_eyes=four_eyes, version=source.version)
    record(
        by=by,
        action="source.unmarked",
        object=source,
        before={"pii": before},
        after={"pii": after, "version": source.version, "four_eyes": four_eyes},
        reason=answer or request.reason,
    )
    return source


@transaction.atomic
def refuse(*, by: Any, request: Unmarking, answer: str) -> Unmarking:
    """Answer with no. Who asked withdraws it; others need the right to agree."""
    request = held(request, "source")
    withdrawn = by == request.asked_by
    if not withdrawn and not still_may(by, RIGHT):
        raise Refused(_("Who may agree to it answers this, or who asked withdraws it."))
    answered(request, by, State.REFUSED, answer, four_eyes=settings.FOUR_EYES)
    action = "source.unmark_withdrawn" if withdrawn else "source.unmark_refused"
    record(by=by, action=action, object=request.source, reason=answer)
    return request


def _declared(source: Source, names: Sequence[str]) -> list[str]:
    """Those names, as the source declares them; Refused with the ones that it does not."""
    unknown = [name for name in names if name not in source.pii]
    if unknown:
        sentence = _("{names} is none of the personal fields of this source.")
        raise Refused(fields={"names": sentence.format(names=", ".join(unknown)[:200])})
    if not names:
        raise Refused(fields={"names": _("Choose at least one field.")})
    return [name for name in source.pii if name in names]

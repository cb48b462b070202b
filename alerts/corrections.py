"""A label that one person may not change any more: proposed by one, approved by a second."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts import outcomes
from alerts.dispositions import state_of
from alerts.models import Correction
from anomalyshield.asking import still_may
from anomalyshield.audit.record import denied, record
from anomalyshield.templatetags.words import within
from scoring import labels, resolving
from scoring.models import Decision, Label, Transaction

Refused = labels.Refused
State = Correction.State


@transaction.atomic
def propose(*, by: Any, label: Label, value: str, reason: str, typology: str = "") -> Correction:
    """Ask a second person to let the label say something else. One proposal at a time."""
    Transaction.objects.select_for_update(no_key=True).get(pk=label.transaction_id)
    value = Label.Value(value)
    typology = typology if value == Label.Value.TRUE_FRAUD else ""
    _worth_it(label, value, typology, reason)
    made = _stored(
        label=label,
        value=value,
        typology=typology,
        reason=reason.strip(),
        proposed_by=by,
        four_eyes=settings.FOUR_EYES,
    )
    before = {"label": label.value, "typology": label.typology}
    after = {"label": value.value, "typology": typology, "transaction": label.transaction_id}
    record(by=by, action="label.correction_proposed", object=made, before=before, after=after)
    return made


def approve(*, by: Any, correction: Correction, answer: str = "") -> Correction:
    """Let the label say what was proposed, as a second person, and release or decline by it.

    An attempt that is refused leaves its row in the audit trail.
    """
    try:
        return _approved(by=by, correction=correction, answer=answer)
    except Refused as refusal:
        denied(by, "label.corrected", correction, str(refusal))
        raise


@transaction.atomic
def _approved(*, by: Any, correction: Correction, answer: str) -> Correction:
    correction = _locked(correction)
    _may_approve(by, correction)
    said = correction.label
    correction.made = labels.give(
        by=correction.proposed_by,
        seconded_by=by,
        transaction=said.transaction,
        value=correction.value,
        typology=correction.typology,
        origin=_origin(correction),
        note=str(correction),
    )
    _resolve(correction, by)
    _answered(correction, by, State.APPROVED, answer)
    became = correction.resolution.state if correction.resolution else correction.final
    record(
        by=by,
        action="label.corrected",
        object=correction,
        before={"label": said.value},
        after={
            "label": correction.value,
            "proposed_by": correction.proposed_by.get_username(),
            "payment": became or "as it was",
            "four_eyes": correction.four_eyes,
        },
    )
    return correction


@transaction.atomic
def refuse(*, by: Any, correction: Correction, answer: str) -> Correction:
    """Let the label stand. Who proposed the correction withdraws it."""
    correction = _locked(correction)
    if not answer.strip():
        raise Refused(_("Say why the label stays as it is."))
    withdrawn = correction.proposed_by_id == by.pk
    _answered(correction, by, State.WITHDRAWN if withdrawn else State.REFUSED, answer)
    action = "label.correction_withdrawn" if withdrawn else "label.correction_refused"
    record(by=by, action=action, object=correction)
    return correction


def _worth_it(label: Label, value: Label.Value, typology: str, reason: str) -> None:
    if not reason.strip():
        raise Refused(_("Say why the label is wrong."))
    if Label.objects.filter(supersedes=label).exists():
        raise Refused(_("It was corrected already: look at what stands now."))
    if value == label.value and typology in {"", label.typology}:
        raise Refused(_("That is what the label says: nothing would change."))
    if waiting := label.corrections.waiting().select_related("proposed_by").first():
        raise Refused(
            _("{proposed_by} proposed a correction already. Answer that one.").format(
                proposed_by=waiting.proposed_by
            )
        )


def _origin(correction: Correction) -> str:
    """Second reviews are told apart from what people noticed on their own."""
    return Label.Origin.QA if correction.reviews.exists() else Label.Origin.DISPOSITION


def _stored(**fields: Any) -> Correction:
    try:
        with transaction.atomic():
            return Correction.objects.create(**fields)
    except IntegrityError:  # the lock of the payment was not held by an older release
        raise Refused(_("Somebody proposed a correction in the same moment. Look again.")) from None


def _resolve(correction: Correction, by: Any) -> None:
    """Release or decline the payment by its new label, and tell upstream, unless that is final."""
    value = Label.Value(correction.value)
    decision = Decision.objects.filter(transaction=correction.label.transaction_id).first()
    if decision is None:
        return
    try:
        correction.resolution = resolving.revise(
            by=by, decision=decision, state=state_of(value), reason=value, behind=str(correction)
        )
    except resolving.Final as final:
        correction.final = str(final)[:200]


def _may_approve(by: Any, correction: Correction) -> None:
    if not still_may(by, "label.change"):
        raise Refused(_("{by} may not correct labels.").format(by=by))
    if correction.four_eyes and by.pk == correction.proposed_by_id:
        raise Refused(_("You proposed it. A second person has to approve it."))
    if Label.objects.filter(supersedes=correction.label).exists():
        raise Refused(_("The label was corrected meanwhile: look at what stands now."))


def _answered(correction: Correction, by: Any, state: str, answer: str) -> None:
    correction.state, correction.answered_by, correction.answer = state, by, answer.strip()
    correction.answered_at = timezone.now()
    correction.save()
    outcomes.follow(correction, by=by)


def _locked(correction: Correction) -> Correction:
    """The payment first, as everyone who labels does; then of two answers the second is told."""
    Transaction.objects.select_for_update(no_key=True).get(pk=correction.label.transaction_id)
    rows = Correction.objects.select_for_update(of=("self",))
    held = rows.select_related("proposed_by", "answered_by", "label__transaction").get(
        pk=correction.pk
    )
    if not held.is_open:
        answer = within(held.get_state_display())
        raise Refused(
            _("{answered_by} has answered already: {answer}.").format(
                answered_by=held.answered_by, answer=answer
            )
        )
    return held

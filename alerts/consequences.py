"""What a verdict means for each payment of its alert: a label, and the word that upstream hears."""

from typing import Any

from django.utils.translation import gettext as _

from alerts.dispositions import LABEL_OF, state_after
from alerts.models import Alert, AlertHit, Consequence, Verdict
from scoring import labels, resolving
from scoring.labels import Refused
from scoring.models import Decision, Label, Resolution, Transaction


def follow(verdict: Verdict) -> Resolution | None:
    """Label, release or decline every payment; the resolution of the leading one.

    A payment whose label somebody else has to change keeps that label, and is released or declined
    by it. Only if that is so for all of them is the verdict refused.
    """
    alert, made, kept = verdict.alert, [], []
    value = LABEL_OF[Alert.Disposition(verdict.disposition)]
    for hit in alert.hits.select_related("transaction", "decision").order_by("pk"):
        one = Consequence(verdict=verdict, hit=hit)
        said = value
        try:
            one.label = _label(hit, verdict, value)
        except Refused as refusal:
            kept.append(refusal)
            stood = _standing(hit.transaction)
            said = Label.Value(stood.value) if stood else value
        one.resolution = _resolve(hit.decision, verdict, said)
        made.append(one)
    if kept and len(kept) == len(made):
        raise Refused(_("{alert} stays open. {kept}").format(alert=alert, kept=kept[0])) from kept[
            0
        ]
    made += [
        Consequence(verdict=verdict, hit=hit, resolution=_resolve(hit.decision, verdict, value))
        for hit in hits_of_duplicates(alert)
    ]
    Consequence.objects.bulk_create(made)
    return next((one.resolution for one in made if one.hit.decision_id == alert.decision_id), None)


def hits_of_duplicates(alert: Alert) -> list[AlertHit]:
    """Payments that follow what is said of this alert. They are given no label: the same payment
    sent twice would be learnt from twice."""
    theirs = AlertHit.objects.filter(alert__duplicate_of=alert, alert__status=Alert.Status.CLOSED)
    return list(theirs.select_related("decision").order_by("pk"))


def follow_original(verdict: Verdict, original: Verdict) -> None:
    """A duplicate's payments become what the original's became."""
    value = LABEL_OF[Alert.Disposition(original.disposition)]
    hits = verdict.alert.hits.select_related("decision").order_by("pk")
    Consequence.objects.bulk_create(
        Consequence(
            verdict=verdict,
            hit=hit,
            resolution=_resolve(hit.decision, verdict, value, said=original.disposition),
        )
        for hit in hits
    )


def take_back(verdict: Verdict, *, by: Any) -> None:
    """Hold each payment again and let its label be what it was. Refused when one is final."""
    for one in verdict.consequences.select_related("label", "resolution"):
        if one.resolution is not None:
            try:
                resolving.reverse(by=by, resolution=one.resolution, behind=str(verdict.alert))
            except resolving.Final as final:
                raise Refused(
                    _("{alert} stays decided. {final}").format(alert=verdict.alert, final=final)
                ) from final
        if one.label is not None:
            labels.take_back(by=by, label=one.label)


def _resolve(
    decision: Decision, verdict: Verdict, value: Label.Value, *, said: str = ""
) -> Resolution | None:
    return resolving.resolve(
        by=verdict.by,
        decision=decision,
        state=state_after(said or verdict.disposition, value),
        reason=value,
        behind=(verdict.behind or str(verdict.alert))[:80],
    )


def _label(hit: AlertHit, verdict: Verdict, value: Label.Value) -> Label | None:
    """The label given; None when the same was said before and nothing changed."""
    stood = _standing(hit.transaction)
    given = labels.give(
        by=verdict.by,
        transaction=hit.transaction,
        value=value,
        origin=Label.Origin.DISPOSITION,
        typology=verdict.alert.typology,
        note=str(verdict.alert),
    )
    return None if given == stood else given


def _standing(payment: Transaction) -> Label | None:
    return Label.objects.filter(transaction=payment).standing().first()

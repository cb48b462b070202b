"""What a verdict means for each payment of its alert: a label, and the word that upstream hears."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from alerts.dispositions import LABEL_OF, state_after
from alerts.models import Alert, AlertHit, Consequence, Verdict
from scoring import labels, resolving
from scoring.labels import Given, Refused
from scoring.models import Label, Resolution


def follow(verdict: Verdict) -> Resolution | None:
    """Label, release or decline every payment; the resolution of the leading one.

    A payment whose label somebody else has to change keeps that label, and is released or declined
    by it. Only if that is so for all of them is the verdict refused.
    """
    alert = verdict.alert
    hits = list(alert.hits.select_related("transaction", "decision").order_by("pk"))
    value = LABEL_OF[Alert.Disposition(verdict.disposition)]
    given = _labels(hits, verdict, value)
    copies = hits_of_duplicates(alert)
    said = [_said(one, value) for one in given] + [value] * len(copies)
    done = _resolve([*hits, *copies], verdict, said)
    new = [one.label for one in given] + [None] * len(copies)
    Consequence.objects.bulk_create(
        Consequence(verdict=verdict, hit=hit, label=label, resolution=resolution)
        for hit, label, resolution in zip([*hits, *copies], new, done, strict=True)
    )
    return dict(zip([hit.decision_id for hit in hits], done, strict=False)).get(alert.decision_id)


def hits_of_duplicates(alert: Alert) -> list[AlertHit]:
    """Payments that follow what is said of this alert. They are given no label: the same payment
    sent twice would be learnt from twice."""
    theirs = AlertHit.objects.filter(alert__duplicate_of=alert, alert__status=Alert.Status.CLOSED)
    return list(theirs.select_related("decision").order_by("pk"))


def follow_original(verdict: Verdict, original: Verdict) -> None:
    """A duplicate's payments become what the original's became."""
    value = LABEL_OF[Alert.Disposition(original.disposition)]
    hits = list(verdict.alert.hits.select_related("decision").order_by("pk"))
    done = _resolve(hits, verdict, [value] * len(hits), said=original.disposition)
    Consequence.objects.bulk_create(
        Consequence(verdict=verdict, hit=hit, resolution=resolution)
        for hit, resolution in zip(hits, done, strict=True)
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
    hits: Sequence[AlertHit], verdict: Verdict, values: Sequence[Label.Value], *, said: str = ""
) -> list[Resolution | None]:
    """What is done with each payment, by what is said of it."""
    meant = said or verdict.disposition
    return resolving.resolve_all(
        by=verdict.by,
        wishes=[
            resolving.Wish(hit.decision, state_after(meant, value), value)
            for hit, value in zip(hits, values, strict=True)
        ],
        behind=(verdict.behind or str(verdict.alert))[:80],
    )


def _labels(hits: Sequence[AlertHit], verdict: Verdict, value: Label.Value) -> list[Given]:
    """What became of each payment's label; refused if none of them may be given this one."""
    alert = verdict.alert
    given = labels.give_all(
        by=verdict.by,
        transactions=[hit.transaction for hit in hits],
        value=value,
        origin=Label.Origin.DISPOSITION,
        typology=alert.typology,
        note=str(alert),
    )
    kept = [one.refusal for one in given if one.refusal is not None]
    if kept and len(kept) == len(given):
        raise Refused(_("{alert} stays open. {kept}").format(alert=alert, kept=kept[0])) from kept[
            0
        ]
    return given


def _said(given: Given, value: Label.Value) -> Label.Value:
    """A payment that keeps its label is done with by that."""
    kept = given.stood if given.refusal is not None else None
    return Label.Value(kept.value) if kept else value

"""Everything one alert was judged by, as a document that can be checked without this installation.

The shape has a name and a number. What is said can be added up: contributions and base come to the
margin, and every event of the trail names its own hash and the one before. Personal values are
masked for whoever does not work alerts.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.utils import timezone

from alerts.entity import notes_of
from alerts.models import Alert, AlertHit, Profile, Regrouping, Snooze
from alerts.rulebook import compared
from alerts.visibility import masked
from anomalyshield.audit.models import AuditEvent
from anomalyshield.templatetags.words import masked_if
from anomalyshield.together import answered
from scoring.models import Decision, Explanation, Label, ListEntry, Resolution
from scoring.models.lists import ListVersion
from scoring.personal import as_sent

SCHEMA, VERSION = "anomalyshield.alert-evidence", 1
EVENTS = 500  # of the trail, the latest


def evidence(alert: Alert, *, by: Any) -> dict[str, Any]:
    """The document as JSON has it: only texts, numbers, lists and objects, moments in ISO 8601."""
    hidden = masked(by)
    related = ("transaction__source", "decision__model", "decision__policy")
    about = AuditEvent.objects.filter(object_type="alerts.alert", object_id=str(alert.pk))
    notes = notes_of(alert)
    hits, verdicts, snoozes, regroupings, said, trail = answered(
        (
            alert.hits.select_related(*related).order_by("pk"),
            alert.verdicts.select_related("by", "undone_by"),
            alert.snoozes.select_related("by"),
            alert.regroupings.select_related("by"),
            notes.none() if hidden else notes,
            about.order_by("-pk")[:EVENTS],
        )
    )
    known = _Known([hit.decision_id for hit in hits], [hit.transaction_id for hit in hits])
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "made_at": _at(timezone.now()),
        "made_by": by.get_username(),
        "masked": hidden,
        "alert": _alert(alert, hidden),
        "payments": [_payment(alert, hit, known, hidden) for hit in hits],
        "features": _features(alert),
        "lists": _lists(hits, hidden),
        "verdicts": [_verdict(one) for one in verdicts],
        "snoozes": [_snooze(one, hidden) for one in snoozes],
        "regroupings": [_regrouping(one) for one in regroupings],
        "notes": [_note(one) for one in said],
        "trail": [_event(one) for one in reversed(trail)],  # oldest first
    }


class _Known:
    """What was made and said of these decisions, each read once."""

    def __init__(self, decisions: Sequence[int], transactions: Sequence[int]) -> None:
        said = Label.objects.filter(transaction__in=transactions).select_related("labeller")
        steps = Resolution.objects.filter(decision__in=decisions).select_related("by")
        made, labels, resolutions = answered(
            (
                Explanation.objects.filter(decision__in=decisions),
                said.order_by("pk"),
                steps.order_by("pk"),
            )
        )
        self.explained = {one.decision_id: one for one in made}
        self.labels: dict[int, list[Label]] = {}
        for label in labels:
            self.labels.setdefault(label.transaction_id, []).append(label)
        self.resolutions: dict[int, list[Resolution]] = {}
        for step in resolutions:
            self.resolutions.setdefault(step.decision_id, []).append(step)


def _alert(alert: Alert, hidden: bool) -> dict[str, Any]:
    route = alert.route
    return {
        "name": str(alert),
        "status": alert.status,
        "queue": alert.queue.slug,
        "route": {"name": route.name, "routing": route.routing.number} if route else None,
        "entity": {"kind": alert.entity_kind, "value": _value(alert, hidden)},
        "suspected": alert.suspected or None,
        "level": alert.level,
        "risk_score": alert.risk_score,
        "leads": alert.decision_id,
        "payments": alert.hit_count,
        "total": str(alert.total),
        "expected_loss": str(alert.expected_loss),
        "created_at": _at(alert.created_at),
        "due_at": _at(alert.due_at),
        "assignee": _name(alert.assignee),
        "disposition": alert.disposition or None,
        "typology": alert.typology or None,
        "closed_at": _at(alert.closed_at),
        "closed_by": _name(alert.closed_by),
        "merged_into": str(alert.merged_into) if alert.merged_into_id else None,
        "duplicate_of": str(alert.duplicate_of) if alert.duplicate_of_id else None,
    }


def _payment(alert: Alert, hit: AlertHit, known: _Known, hidden: bool) -> dict[str, Any]:
    paid = hit.transaction
    return {
        "transaction": masked_if(paid.external_id, hidden),
        "source": paid.source.name,
        "event_time": _at(paid.event_time),
        "recorded_at": _at(paid.recorded_at),
        "joined_at": _at(hit.at),
        "amount": str(paid.amount),
        "currency": paid.currency,
        "user": masked_if(as_sent(paid, "user_id"), hidden),
        "card": masked_if(as_sent(paid, "card_id"), hidden),
        "device": masked_if(as_sent(paid, "device_id"), hidden),
        "merchant": paid.merchant_name,
        "mcc": paid.mcc,
        "place": paid.location,
        "country": paid.country,
        "leads": hit.decision_id == alert.decision_id,
        "decision": _decision(hit.decision),
        "explanation": _explanation(known.explained.get(hit.decision_id)),
        "resolutions": [_step(one) for one in known.resolutions.get(hit.decision_id, [])],
        "labels": [_label(one) for one in known.labels.get(hit.transaction_id, [])],
    }


def _decision(decision: Decision) -> dict[str, Any]:
    model, policy = decision.model, decision.policy
    return {
        "number": decision.pk,
        "decided_at": _at(decision.decided_at),
        "known_at": _at(decision.known_at),
        "risk_score": decision.risk_score,
        "probability": decision.probability,
        "level": decision.level,
        "outcome": decision.outcome,
        "degraded": decision.degraded or None,
        "model": {
            "version": model.number,
            "kind": model.kind,
            "sha256": model.sha256,
            "cutoff": _at(model.cutoff),
        }
        if model
        else None,
        "policy": {"version": policy.version, "values": policy.values},
        "rules": [
            {"code": one.code, "meaning": one.meaning, "hit": one.hit} for one in compared(decision)
        ],
        "hits": decision.hits,
    }


def _explanation(found: Explanation | None) -> dict[str, Any] | None:
    """`difference` is what base and contributions miss the margin by."""
    if found is None or found.contributions is None or found.base is None:
        return None
    total = sum(found.contributions.values())
    return {
        "unit": "log-odds",
        "base": found.base,
        "contributions": found.contributions,
        "sum": total,
        "margin": found.margin,
        "difference": found.base + total - (found.margin or 0.0),
        "sentences": found.sentences,
        "counterfactual": found.counterfactual,
    }


def _features(alert: Alert) -> dict[str, Any] | None:
    """The vector its leading payment was scored on; null where a value was not known."""
    from scoring.engine.features import NAMES, spec_id  # compiles with the engine

    kept: Profile | None = getattr(alert, "profile", None)
    if kept is None:
        return None
    values = np.frombuffer(kept.vector, "<f8")
    told = {"spec": kept.spec, "of": alert.decision_id}
    if kept.spec != spec_id() or len(values) != len(NAMES):
        return {**told, "values": None, "vector": values.astype(object).tolist()}
    pairs = zip(NAMES, values, strict=True)
    return {**told, "values": {name: None if v != v else float(v) for name, v in pairs}}


def _lists(hits: Sequence[AlertHit], hidden: bool) -> dict[str, Any]:
    """Entries that the payments met, as they stand, and the version of the lists now."""
    met = {
        int(one.get("observed", 0))
        for hit in hits
        for one in hit.decision.hits
        if one["code"] in {"DENY_LIST", "ALLOW_LIST"}
    }
    version = ListVersion.objects.values_list("version", flat=True).first()
    entries = ListEntry.objects.filter(pk__in=met).select_related("proposed_by", "approved_by")
    return {"version": version or 0, "entries": [_entry(one, hidden) for one in entries]}


def _entry(one: ListEntry, hidden: bool) -> dict[str, Any]:
    return {
        "name": str(one),
        "kind": one.kind,
        "entity": one.entity,
        "value": masked_if(one.value, hidden and one.entity != "merchant"),
        "state": one.state,
        "in_force_since": _at(one.in_force_since),
        "proposed_by": _name(one.proposed_by),
        "approved_by": _name(one.approved_by),
        "expires_at": _at(one.expires_at),
    }


def _verdict(one: Any) -> dict[str, Any]:
    said = {"disposition": one.disposition, "by": _name(one.by), "at": _at(one.at)}
    undone = {"undone_at": _at(one.undone_at), "undone_by": _name(one.undone_by)}
    return {**said, "behind": one.behind or None, **undone}


def _snooze(one: Snooze, hidden: bool) -> dict[str, Any]:
    said = {"by": _name(one.by), "at": _at(one.at), "until": _at(one.until)}
    said |= {"for_customer": one.for_customer, "reason": None if hidden else one.reason}
    return {**said, "ended_at": _at(one.ended_at), "how": one.how or None}


def _regrouping(one: Regrouping) -> dict[str, Any]:
    moved = {f"A-{pk}": len(places) for pk, places in one.moved.items()}
    said = {"kind": one.kind, "by": _name(one.by), "at": _at(one.at), "payments_of": moved}
    return {**said, "undone_at": _at(one.undone_at)}


def _note(one: Any) -> dict[str, Any]:
    return {"by": _name(one.author), "at": _at(one.at), "text": one.text}


def _label(one: Label) -> dict[str, Any]:
    said = {"value": one.value, "origin": one.origin, "known_at": _at(one.known_at)}
    return {**said, "by": _name(one.labeller), "typology": one.typology or None}


def _step(one: Resolution) -> dict[str, Any]:
    said = {"state": one.state, "at": _at(one.at), "by": _name(one.by)}
    return {**said, "behind": one.behind or None, "reversal": one.is_reversal}


def _event(one: AuditEvent) -> dict[str, Any]:
    """Not sealed yet: without number and hashes, within two seconds of the act."""
    return {
        "number": one.number,
        "at": _at(one.at),
        "actor": one.actor,
        "role": one.role,
        "action": one.action,
        "before": one.before,
        "after": one.after,
        "reason": one.reason,
        "previous": _hex(one.previous),
        "digest": _hex(one.digest),
    }


def _value(alert: Alert, hidden: bool) -> str:
    return masked_if(alert.entity, hidden and alert.entity_kind != Alert.Kind.MERCHANT)


def _at(moment: Any) -> str | None:
    return moment.isoformat() if moment else None


def _name(person: Any) -> str | None:
    return person.get_username() if person else None


def _hex(digest: Any) -> str | None:
    return bytes(digest).hex() if digest is not None else None

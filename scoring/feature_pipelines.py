"""Which pipeline the next training uses; its versions, written by people and never edited."""

import hashlib
from typing import Any

import yaml
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as _noop

from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from scoring import plans
from scoring.engine.plan import Plan
from scoring.models import FeaturePipeline

FIRST = """\
# Every feature of the register, as it is computed. What is unknown stays unknown: trees learn from
# that too. Steps: imputation, scaling, time_window_aggregation, drop.
transformations: []
"""


class Refused(Exception):
    """Not now, or not again; the message is a sentence for the person who asked."""


def active() -> FeaturePipeline:
    """The pipeline in force. The first question of a new installation makes the first version."""
    return FeaturePipeline.objects.filter(active=True).first() or _first()


def plan_of(pipeline: FeaturePipeline) -> Plan:
    """What it says. A stored text was read before; what a release no longer knows is refused."""
    return plans.read(pipeline.text)


@transaction.atomic
def save(*, by: Any, text: str, reason: str) -> FeaturePipeline:
    """Keep a new version, in force nowhere yet. Raises `plans.Unreadable` with every fault."""
    text = text.replace("\r\n", "\n").rstrip() + "\n"
    plans.read(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    one_at_a_time("pipeline")
    if same := FeaturePipeline.objects.filter(sha256=sha256).first():
        raise Refused(_("{same} says exactly this already.").format(same=same))
    made = FeaturePipeline.objects.create(
        number=_next_number(),
        name=_name(text),
        text=text,
        sha256=sha256,
        made_by=by if isinstance(by, models.Model) else None,
        reason=reason,
    )
    after = {"pipeline": made.number, "sha256": sha256}
    record(by=by, action="pipeline.saved", object=made, after=after, reason=reason)
    return made


@transaction.atomic
def activate(*, by: Any, pipeline: FeaturePipeline, reason: str) -> FeaturePipeline:
    """Have the next trainings use it. Models trained before keep theirs, and decide on."""
    one_at_a_time("pipeline")
    before = active()
    pipeline.refresh_from_db()
    if pipeline.active:
        raise Refused(_("{pipeline} is in force already.").format(pipeline=pipeline))
    try:
        plan_of(pipeline)
    except plans.Unreadable as unreadable:
        raise Refused(
            _("This release cannot read {pipeline}: {unreadable}").format(
                pipeline=pipeline, unreadable=unreadable
            )
        ) from None
    FeaturePipeline.objects.filter(active=True).update(active=False)
    pipeline.active = True
    pipeline.save(update_fields=["active"])
    record(
        by=by,
        action="pipeline.activated",
        object=pipeline,
        before={"pipeline": before.number},
        after={"pipeline": pipeline.number, "sha256": pipeline.sha256},
        reason=reason,
    )
    return pipeline


def _first() -> FeaturePipeline:
    with transaction.atomic():
        pipeline, made = FeaturePipeline.objects.get_or_create(
            number=1,
            defaults={
                "text": FIRST,
                "sha256": hashlib.sha256(FIRST.encode()).hexdigest(),
                "active": True,
                "reason": _noop("Everything this release computes."),
            },
        )
        if made:
            record(by="system", action="pipeline.activated", object=pipeline)
    return pipeline


def _name(text: str) -> str:
    return str(yaml.load(text, yaml.BaseLoader).get("name", ""))[:100]  # noqa: S506 — texts only


def _next_number() -> int:
    active()  # the first version is always there, so that it is always number 1
    return (FeaturePipeline.objects.aggregate(last=models.Max("number"))["last"] or 0) + 1

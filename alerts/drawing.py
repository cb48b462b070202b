"""Which verdicts a second person looks at, and who: drawn as the verdict is given.

Drawn by a keyed hash of the verdict's number, so nobody foresees it and whoever holds the key can
check it. Who decided is not told: a person who knows that somebody will look decides otherwise.
"""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from guardian.shortcuts import get_users_with_perms

from alerts.dispositions import LABEL_OF
from alerts.models import Alert, Queue, Review, ReviewPolicy, Verdict
from anomalyshield.accounts.models import User
from anomalyshield.accounts.roles import ANALYST
from anomalyshield.audit.record import record
from anomalyshield.keyed import key_for
from scoring.engine import sampling
from scoring.engine.decision import Outcome
from scoring.models import Label

KEY = "alerts.reviews"
Risk = Review.Risk
SHARE_OF = {Risk.LARGE: "large_share", Risk.UNSURE: "unsure_share", Risk.RELEASE: "release_share"}


def policy() -> ReviewPolicy | None:
    """The shares in force; None until a lead has said that verdicts are looked at again."""
    return ReviewPolicy.objects.order_by("-pk").first()


def draw(verdict: Verdict) -> Review | None:
    """Have it looked at again, if it is drawn, within the verdict's own transaction.

    What a case stands behind was approved by a second person already.
    """
    shares = None if verdict.behind else policy()
    if shares is None:
        return None
    risks = risks_of(verdict, shares)
    by_risk = max((getattr(shares, SHARE_OF[risk]) for risk in risks), default=0.0)
    why = _why(verdict, shares.random_share, by_risk)
    if why is None:
        return None
    made = Review.objects.create(
        verdict=verdict,
        alert=verdict.alert,
        decided_by=verdict.by,
        why=why,
        risks=risks,
        chance=1 - (1 - shares.random_share) * (1 - by_risk),
        due_at=timezone.now() + timedelta(hours=shares.due_hours),
        reviewer=somebody(verdict.alert.queue, but=verdict.by, name=str(verdict.pk)),
    )
    record(by="draw", action="review.drawn", object=made, after={"why": why, "risks": risks})
    return made


def risks_of(verdict: Verdict, shares: ReviewPolicy) -> list[str]:
    """What makes a wrong verdict dear, or likely."""
    alert = verdict.alert
    genuine = LABEL_OF[Alert.Disposition(verdict.disposition)] == Label.Value.FALSE_POSITIVE
    found = {
        Risk.LARGE: alert.total >= shares.large_amount,
        Risk.UNSURE: verdict.confidence == Verdict.Confidence.UNSURE,
        Risk.RELEASE: genuine and alert.decision.outcome == Outcome.BLOCK,
    }
    return [risk.value for risk, so in found.items() if so]


def somebody(queue: Queue, *, but: Any, name: str) -> User | None:
    """Of those who work the queue the one with the fewest reviews to do; None: there is nobody."""
    waiting = Q(reviews__answered_at=None, reviews__verdict__undone_at=None)
    free = eligible(queue, but=but).annotate(waiting=Count("reviews", filter=waiting))
    key = key_for(KEY)
    ranked = sorted(free, key=lambda one: (one.waiting, sampling.share(key, f"{name}:{one.pk}")))
    return ranked[0] if ranked else None


def eligible(queue: Queue, *, but: Any) -> Any:
    """Who may look at a verdict of this queue: its analysts, but not who decided, and nobody who
    reads the whole trail, where the verdict stands."""
    named = get_users_with_perms(queue, with_group_users=True, only_with_perms_in=["work_queue"])
    analysts = User.objects.filter(pk__in=named.values("pk"), groups__name=ANALYST, is_active=True)
    readers = User.objects.filter(groups__name="admin").values("pk")
    return analysts.exclude(pk=but.pk).exclude(pk__in=readers).order_by("pk").distinct()


def _why(verdict: Verdict, at_random: float, by_risk: float) -> str | None:
    key = key_for(KEY)
    if sampling.share(key, f"random:{verdict.pk}") < at_random:
        return Review.Why.RANDOM
    if sampling.share(key, f"risk:{verdict.pk}") < by_risk:
        return Review.Why.RISK
    return None

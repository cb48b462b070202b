"""Which model version decides: promoted by two people, rolled back by one."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.asking import Refused, answered, attempt, held, second
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from anomalyshield.templatetags.words import within
from scoring import registry
from scoring.doubts import doubts
from scoring.engine import bundle as bundles
from scoring.models import ModelVersion, PromotionRequest

State = ModelVersion.State
OWN = _lazy("You asked for this promotion; a second model owner must approve it.")
PROMOTABLE = {State.CANDIDATE, State.SHADOW, State.RETIRED}


@transaction.atomic
def install_first(*, version: ModelVersion, by: Any = "command") -> ModelVersion:
    """Make it champion of an installation that has none: before that nothing can be decided."""
    one_at_a_time("champion")
    if ModelVersion.objects.filter(state=State.CHAMPION).exists():
        raise Refused(_("There is a champion already. Ask for a promotion instead."))
    version = _locked(version)
    _enthrone(version)
    record(by=by, action="model.promoted", object=version, reason="The first model.")
    return version


@transaction.atomic
def ask(*, by: Any, version: ModelVersion, reason: str, despite: bool = False) -> PromotionRequest:
    """Ask that a version become champion. The request is for this content and no other.

    What speaks against it (`doubts`) has to be seen: without `despite` it is refused with them.
    """
    version = _locked(version)
    if version.state not in PROMOTABLE:
        raise Refused(
            _("{version} is {state}; it cannot be promoted.").format(
                version=version, state=within(version.get_state_display())
            )
        )
    if open_request := version.requests.filter(state=PromotionRequest.State.OPEN).first():
        raise Refused(
            _("{asked_by} has already asked for {version}.").format(
                asked_by=open_request.asked_by, version=version
            )
        )
    against = doubts(version.metrics)
    if against and not despite:
        raise Refused(
            _("{against} Say that you ask in spite of it.").format(against=" ".join(against))
        )
    _intact(version)
    request = PromotionRequest.objects.create(
        model=version, sha256=version.sha256, asked_by=by, reason=reason
    )
    record(
        by=by,
        action="model.promotion_asked",
        object=version,
        after={
            "version": version.number,
            "sha256": version.sha256,
            **({"in_spite_of": against} if against else {}),
        },
        reason=reason,
    )
    return request


def approve(*, by: Any, request: PromotionRequest, answer: str = "") -> ModelVersion:
    """Promote what was asked for, exactly that, as a second person. The champion retires with it.

    An attempt that is refused leaves its row in the audit trail.
    """
    with attempt(by, "model.promoted", request.model):
        return _approved(by=by, request=request, answer=answer)


@transaction.atomic
def _approved(*, by: Any, request: PromotionRequest, answer: str) -> ModelVersion:
    one_at_a_time("champion")
    request = held(request, "model")
    lost = _("{by} may no longer promote models.").format(by=by)
    second(by, request, right="model.promote", lost=lost, own=OWN)
    version = _locked(request.model)
    if version.sha256 != request.sha256 or version.state not in PROMOTABLE:
        raise Refused(
            _("{version} is no longer what {asked_by} asked for.").format(
                version=version, asked_by=request.asked_by
            )
        )
    _intact(version)
    before = ModelVersion.objects.filter(state=State.CHAMPION).first()
    _enthrone(version)
    # With four eyes off the same person may approve; the row then says that nobody else did.
    other = by if by != request.asked_by else None
    answered(request, other, PromotionRequest.State.APPROVED, answer)
    record(
        by=by,
        action="model.promoted",
        object=version,
        before={"champion": before.number} if before else None,
        after={
            "champion": version.number,
            "sha256": version.sha256,
            "four_eyes": settings.FOUR_EYES,
        },
        reason=answer or request.reason,
    )
    return version


@transaction.atomic
def refuse(*, by: Any, request: PromotionRequest, answer: str) -> PromotionRequest:
    """Answer a request with no. Who asked withdraws it; anybody else rejects the version too."""
    request = held(request, "model")
    version = _locked(request.model)
    withdrawn = by == request.asked_by
    if not withdrawn and version.state in {State.CANDIDATE, State.SHADOW}:
        version.state = State.REJECTED
        version.save(update_fields=["state"])
    answered(request, by, PromotionRequest.State.REFUSED, answer)
    record(
        by=by,
        action="model.promotion_withdrawn" if withdrawn else "model.promotion_refused",
        object=version,
        after={"state": version.state},
        reason=answer,
    )
    return request


@transaction.atomic
def set_shadow(*, by: Any, version: ModelVersion, on: bool) -> ModelVersion:
    """Let a candidate score along, unseen by any decision, or make it a plain candidate again."""
    version = _locked(version)
    before, after = (State.CANDIDATE, State.SHADOW) if on else (State.SHADOW, State.CANDIDATE)
    if version.state != before:
        raise Refused(
            _("{version} is {state}, not {before}.").format(
                version=version, state=within(version.get_state_display()), before=within(before)
            )
        )
    _intact(version)
    version.state = after
    version.save(update_fields=["state"])
    record(
        by=by,
        action="model.shadow_changed",
        object=version,
        before={"state": before},
        after={"state": after},
    )
    return version


@transaction.atomic
def roll_back(*, by: Any, reason: str) -> ModelVersion:
    """Give the place back to the champion before. One person is enough: it ends harm."""
    one_at_a_time("champion")
    fallen = ModelVersion.objects.filter(state=State.CHAMPION).first()
    former = registry.former_champions().first()
    if fallen is None or former is None:
        raise Refused(_("There is no earlier champion to go back to."))
    _intact(former)
    # Without its date it is not a former champion: the next way back leads past it.
    fallen.state, fallen.champion_since = State.RETIRED, None
    fallen.save(update_fields=["state", "champion_since"])
    former.state = State.CHAMPION
    former.save(update_fields=["state"])
    record(
        by=by,
        action="model.rolled_back",
        object=former,
        before={"champion": fallen.number},
        after={"champion": former.number},
        reason=reason,
    )
    return former


def _enthrone(version: ModelVersion) -> None:
    """The champion retires first: the database allows one."""
    ModelVersion.objects.filter(state=State.CHAMPION).update(state=State.RETIRED)
    version.state, version.champion_since = State.CHAMPION, timezone.now()
    version.save(update_fields=["state", "champion_since"])


def _intact(version: ModelVersion) -> None:
    try:
        registry.load(version)
    except bundles.Refused as reason:
        raise Refused(
            _("The files of {version} are not what was trained: {reason}").format(
                version=version, reason=reason
            )
        ) from None


def _locked(version: ModelVersion) -> ModelVersion:
    return ModelVersion.objects.select_for_update().get(pk=version.pk)

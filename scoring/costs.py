"""What fraud and the work against it cost here: the figures in force, and those before them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as _noop

from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import figure
from scoring.engine.costs import Costs
from scoring.models import CostModel

SHARED = "SELECT * FROM scoring_costmodel WHERE active FOR SHARE"
FIRST = _noop("The defaults of this release. Replace them by figures of your own.")


@dataclass(frozen=True)
class Meaning:
    """What a figure is called, what it means, and where its default comes from."""

    title: str
    means: str
    source: str
    share: bool = False


HOUSE = _("An assumption of this release: nobody publishes one for others. Measure your own.")
LEVELS = _("An assumption until labels suffice for a calibrated probability, which then counts.")
MEANINGS = {
    "loss_share": Meaning(
        _("Share of a fraud's amount that is lost"),
        _("Of every fraud that nobody stops, before anything comes back."),
        _("All of it: the usual assumption of the literature (Correa Bahnsen and others, 2015)."),
        share=True,
    ),
    "recovery": Meaning(
        _("Share of that which comes back"),
        _("By recalls, disputes and liability of others."),
        _("None, until your disputes team tells its share."),
        share=True,
    ),
    "missed_fee": Meaning(
        _("Fee for each missed fraud"),
        _("Chargeback fee and the work of the dispute."),
        _("Card acquirers publish fees of about 15 to 25."),
    ),
    "review_cost": Meaning(
        _("Cost of one review"),
        _("What an analyst's time for one payment costs."),
        _("Ten minutes at 30 an hour."),
    ),
    "friction_review": Meaning(
        _("Friction of a genuine payment held"),
        _("A good customer waits or is called."),
        HOUSE,
    ),
    "friction_block": Meaning(
        _("Friction of a genuine payment blocked"),
        _("A good customer is turned away: margin lost, and perhaps the customer."),
        HOUSE,
    ),
    "sure_critical": Meaning(
        _("How sure CRITICAL alone makes one"),
        _("Share of frauds one counts on at the lowest score of the level."),
        LEVELS,
        share=True,
    ),
    "sure_high": Meaning(
        _("How sure HIGH alone makes one"), _("As above, for HIGH."), LEVELS, share=True
    ),
    "sure_below": Meaning(
        _("How sure a lower level makes one"),
        _("At most, for what only a failing part of the scoring sent to people."),
        LEVELS,
        share=True,
    ),
}
GROUPS = (
    (_("What a fraud costs"), ("loss_share", "recovery", "missed_fee")),
    (_("What the work costs"), ("review_cost",)),
    (_("What it costs good customers"), ("friction_review", "friction_block")),
    (
        _("How sure one is where no probability is calibrated"),
        ("sure_critical", "sure_high", "sure_below"),
    ),
)


def active() -> CostModel:
    """The cost model in force."""
    return CostModel.objects.filter(active=True).first() or _first()


def in_force() -> Costs:
    """Its figures."""
    return Costs.from_dict(active().values)


def held() -> CostModel:
    """The one in force, which nobody replaces before the caller's transaction ends."""
    # FOR SHARE lets many raise alerts at once and makes whoever replaces it wait for them. Who
    # waits for a replacement finds no row at first: that one is no longer in force.
    for _again in range(2):
        if found := next(iter(CostModel.objects.raw(SHARED)), None):
            return found
    return _first()


@dataclass(frozen=True)
class Era:
    """A cost model and the time in which it was the one in force; the first also before."""

    since: datetime | None
    version: int
    costs: Costs


def eras() -> list[Era]:
    """Every cost model there was, oldest first."""
    rows = list(CostModel.objects.order_by("version")) or [_first()]
    return [
        Era(row.created_at if at else None, row.version, Costs.from_dict(row.values))
        for at, row in enumerate(rows)
    ]


def shown(name: str, value: float) -> str:
    """A figure in words."""
    return figure(f"{100 * value:g} %" if MEANINGS[name].share else f"{value:,.2f}")


def _first() -> CostModel:
    """A new installation has one from its migrations; a database emptied by hand makes it anew."""
    with transaction.atomic():
        made, new = CostModel.objects.get_or_create(
            version=1, defaults={"values": Costs().as_dict(), "active": True, "reason": FIRST}
        )
        if new:
            record(by="system", action="costs.activated", object=made, after=made.values)
    return made

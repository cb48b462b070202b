"""One way from a record to a transaction for every door: what the source says of its records."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings

from scoring import cardnumbers, schemas
from scoring.engine.gate import Gate
from scoring.engine.transaction import Defaults
from scoring.models import Source

__all__ = ["Gate", "defaults_of", "gate_of"]


def gate_of(
    source: Source,
    received_at: datetime,
    *,
    mapping: Mapping[str, str] | None = None,
    texts: bool = False,
) -> Gate:
    """The gate of this source now. `mapping` is what a file says of its columns beyond that;
    `texts` is for doors that know no numbers: "12" then is one."""
    return Gate(
        defaults_of(source, received_at),
        source.mapping if mapping is None else mapping,
        schemas.check_of(source, texts=texts),
        cardnumbers.cleaned,
    )


def defaults_of(source: Source, received_at: datetime) -> Defaults:
    """Currency, zone, and what is done with times that cannot be right."""
    return Defaults(
        source.currency,
        settings.BASE_CURRENCY,
        source.timezone,
        received_at,
        ahead=timedelta(seconds=source.future_after),
        clamp=source.future == Source.Future.CLAMP,
        behind=timedelta(seconds=source.late_after) if source.late == Source.Late.REJECT else None,
    )

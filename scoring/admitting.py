"""One way from a record to a transaction for every door: what the source says of its records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from scoring import cardnumbers, schemas
from scoring.engine.names import by_our_names
from scoring.engine.transaction import Defaults, Invalid, Transaction, parse
from scoring.models import Source

Reasons = dict[str, str]
TIMES = {"timestamp", "time_of_day"}
Check = Callable[[Mapping[str, Any]], Reasons]


@dataclass(frozen=True)
class Gate:
    """What a source says once, for the records of one moment; made once per request or block."""

    defaults: Defaults
    mapping: Mapping[str, str]
    check: Check | None = None

    def admit(self, record: Mapping[str, Any], at: datetime | None = None) -> Transaction:
        """The transaction, or Invalid with every field that is wrong.

        A record that tells no time happened `at`, which is what a broker says of its message.
        """
        wrong = self.check(record) if self.check else {}
        record = cardnumbers.cleaned(record, self.mapping)
        defaults = self.defaults
        if at is not None and not TIMES & by_our_names(record, self.mapping)[0].keys():
            defaults = replace(defaults, received_at=min(at, defaults.received_at))
        try:
            found = parse(record, defaults=defaults, mapping=self.mapping)
        except Invalid as invalid:
            raise Invalid(wrong | invalid.reasons) from None
        if wrong:
            raise Invalid(wrong)
        return found


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

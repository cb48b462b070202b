"""One way from a record to a transaction for every door: what the source says of its records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings

from scoring import cardnumbers, noticing, personal, rates, schemas
from scoring.engine import gazetteer
from scoring.engine.gate import Gate
from scoring.engine.transaction import Defaults, Transaction
from scoring.models import Source

__all__ = ["Gate", "any_gate", "defaults_of", "gate_of"]


@dataclass(frozen=True)
class SealingGate(Gate):
    """The gate of a source that declares personal fields: behind it further ones are sealed, and
    ids have a token in their place."""

    pii: frozenset[str] = frozenset()
    key: bytes = b""

    @cached_property
    def _ours(self) -> set[str]:
        return personal.our_names(self.pii, self.mapping)

    def admit(self, record: Mapping[str, Any], at: datetime | None = None) -> Transaction:
        found = super().admit(personal.opened_all(record), at)
        extra = personal.sealed_fields(found.extra, self.pii, self.mapping)
        return personal.veiled(found._replace(extra=extra), self._ours, self.key)


def gate_of(
    source: Source,
    received_at: datetime,
    *,
    mapping: Mapping[str, str] | None = None,
    texts: bool = False,
) -> Gate:
    """The gate of this source now. `mapping` is what a file says of its columns beyond that;
    `texts` is for doors that know no numbers: "12" then is one."""
    said = (
        defaults_of(source, received_at),
        source.mapping if mapping is None else mapping,
        schemas.check_of(source, texts=texts),
        cardnumbers.cleaned,
    )
    if not source.pii:
        return Gate(*said)
    return SealingGate(*said, pii=frozenset(source.pii), key=personal.veil_key())


def any_gate(
    source: Source,
    received_at: datetime,
    *,
    mapping: Mapping[str, str] | None = None,
    texts: bool = False,
    notices: bool = False,
) -> Gate | noticing.Gate:
    """The gate of payments, or of notices: for a source that speaks of the payments of others, and
    where only `notices` are taken."""
    if not (notices or source.about):
        return gate_of(source, received_at, mapping=mapping, texts=texts)
    names = source.mapping if mapping is None else mapping
    return noticing.gate_of(source, defaults_of(source, received_at), names, texts=texts)


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
        rate=source.rates.rate if source.rates else rates.rate_of,
        place=gazetteer.find if source.places else None,
    )

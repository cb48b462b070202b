"""One way from a record to a transaction, for every door and on any machine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from scoring.engine.names import Names, by_our_names, names_of
from scoring.engine.schema import Check
from scoring.engine.transaction import Defaults, Invalid, Transaction, parse

Record = Mapping[str, Any]
TIMES = {"timestamp", "time_of_day"}


@dataclass(frozen=True)
class Gate:
    """What a source says once, for the records of one moment; made once per request or block."""

    defaults: Defaults
    mapping: Mapping[str, str]
    check: Check | None
    cleaned: Callable[[Record, Mapping[str, str]], Record]  # the record without card numbers
    veil: Callable[[Transaction], Transaction] | None = None  # over ids that are personal

    @cached_property
    def _names(self) -> Names:
        return names_of(self.mapping)

    def admit(self, record: Record, at: datetime | None = None) -> Transaction:
        """The transaction, or Invalid with every field that is wrong.

        A record that tells no time happened `at`, which is what a broker says of its message.
        """
        wrong = self.check(record) if self.check else {}
        record = self.cleaned(record, self.mapping)
        defaults = self.defaults
        if at is not None and not TIMES & by_our_names(record, self.mapping)[0].keys():
            defaults = replace(defaults, received_at=min(at, defaults.received_at))
        try:
            found = parse(record, defaults=defaults, mapping=self._names)
        except Invalid as invalid:
            raise Invalid(wrong | invalid.reasons) from None
        if wrong:
            raise Invalid(wrong)
        return self.veil(found) if self.veil else found

"""What the words behind a field of a search say: one of a set, a number, a length of time."""

import difflib
import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

SPANS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DURATION = re.compile(r"(-?\d+(?:\.\d+)?)([mhdw]?)")


class Wrong(Exception):
    """This value cannot be read; the message is a sentence for whoever typed it."""


def among(value: str, known: Sequence[str]) -> str:
    """`value` if it is known, else what it may have meant to be."""
    folded = {one.casefold(): one for one in known}
    if found := folded.get(value.casefold()):
        return found
    close = difflib.get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
    if close:
        raise Wrong(
            _("‘{value}’ is not known here; did you mean {folded}?").format(
                value=value, folded=folded[close[0]]
            )
        )
    listed = ", ".join(known) or _("them: there is none yet")
    raise Wrong(_("‘{value}’ is not one of {listed}.").format(value=value, listed=listed))


def amount_of(value: str) -> Decimal:
    """A sum or a score: `5000`, `.8`, `5k`, `1.5m`."""
    scale = {"k": 1000, "m": 1_000_000}.get(value[-1:].casefold(), 1)
    try:
        found = Decimal(value[:-1] if scale > 1 else value) * scale
    except InvalidOperation:
        raise Wrong(
            _("‘{value}’ is no number. Write it like 5000, .8 or 5k.").format(value=value)
        ) from None
    if not found.is_finite() or abs(found) >= 10**14:
        raise Wrong(_("‘{value}’ is no number that an alert could have.").format(value=value))
    return found


def span_of(value: str) -> timedelta:
    """A length of time: `30m`, `2h`, `3d`, `1w`; zero needs no unit."""
    found = DURATION.fullmatch(value.casefold())
    if found is None or not (found[2] or float(found[1]) == 0):
        raise Wrong(
            _("‘{value}’ is no length of time. Write it like 30m, 2h, 3d or 1w.").format(
                value=value
            )
        )
    if abs(float(found[1])) > 10_000:
        raise Wrong(_("‘{value}’ is longer than anything waits here.").format(value=value))
    return timedelta(**{SPANS[found[2] or "m"]: float(found[1])})

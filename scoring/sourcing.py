"""Sources are made and changed by people, and every change is on the trail."""

from typing import Any

from django.db import transaction

from anomalyshield.audit.record import record
from scoring.keeping import grant_new
from scoring.models import Source

TOLD = ("name", "title", "kind", "currency", "timezone", "mapping", "active")


@transaction.atomic
def make_source(*, by: Any, **fields: Any) -> Source:
    """A source under a name nobody has yet."""
    source = Source.objects.create(**fields)
    grant_new(source, by=by)
    record(by=by, action="source.made", object=source, after=_told(source))
    return source


@transaction.atomic
def change_source(*, by: Any, source: Source, **fields: Any) -> Source:
    """Change what the source says of its records from now on; stored ones stay as they are."""
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    before = _told(source)
    for name, value in fields.items():
        setattr(source, name, value)
    source.save(update_fields=list(fields))
    record(by=by, action="source.changed", object=source, before=before, after=_told(source))
    return source


def _told(source: Source) -> dict[str, Any]:
    return {name: getattr(source, name) for name in TOLD}

"""Notes that stay with a user, card, device or merchant: written, and taken back."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.entities import Entity
from alerts.guards import leads
from alerts.models import EntityNote
from anomalyshield.audit.record import record

SHOWN = 50


class Refused(Exception):
    """The note may not be taken back; the message is a sentence for the person who asked."""


@transaction.atomic
def pin(*, by: Any, entity: Entity, text: str) -> EntityNote:
    """Write a note about it. The trail has no word of it: people write names into notes."""
    note = EntityNote.objects.create(
        kind=entity.kind, key=entity.key, value=entity.value, text=text, author=by
    )
    record(by=by, action="entity.noted", object=note, after={"entity": entity.kind})
    return note


@transaction.atomic
def retract(*, by: Any, note: EntityNote) -> EntityNote:
    """Take a note back: its author, or a lead. The row stays, its words are shown to nobody."""
    held = EntityNote.objects.select_for_update(of=("self",)).select_related("author")
    note = held.get(pk=note.pk)
    if note.retracted_at is not None:
        raise Refused(_("This note was taken back already."))
    if note.author_id != by.pk and not leads(by):
        raise Refused(
            _("{author} wrote this note. Ask them, or a lead, to take it back.").format(
                author=note.author
            )
        )
    note.retracted_at, note.retracted_by = timezone.now(), by
    note.save(update_fields=["retracted_at", "retracted_by"])
    record(by=by, action="entity.note_retracted", object=note, after={"entity": note.kind})
    return note


def notes_of(entity: Entity) -> list[EntityNote]:
    """The latest, those taken back among them."""
    return list(EntityNote.objects.about(entity.kind, entity.key)[:SHOWN])

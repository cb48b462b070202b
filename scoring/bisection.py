"""Halves a chunk that fails until only the poison row is set aside."""

from django.conf import settings
from django.db import transaction

from anomalyshield import bell, leases
from scoring.models import Chunk


def bisect(chunk: Chunk, error: str | BaseException) -> None:
    """Put two READY halves in the chunk's place; a single row is tried again, then quarantined.

    `error` is text when the chunk killed its workers. Then its halves are on their last attempt
    already, or finding one row among thousands would take three deaths at every level.
    """
    if isinstance(error, BaseException) and leases.passing(error):
        leases.fail(chunk, error)
    elif len(chunk.transaction_ids) > 1:
        halve(chunk, leases.said(error), attempts=settings.MAX_ATTEMPTS - 1 if deadly(error) else 0)
    elif deadly(error):
        leases.quarantine(chunk, leases.said(error))
    else:
        leases.fail(chunk, error)


def deadly(error: str | BaseException) -> bool:
    return isinstance(error, str)


@transaction.atomic
def halve(chunk: Chunk, reason: str, *, attempts: int) -> list[Chunk]:
    """Replace the chunk by its halves in one transaction, so no row is in none or in two."""
    ids = chunk.transaction_ids
    middle = len(ids) // 2
    leases.supersede(chunk, f"halved: {reason}")
    halves = Chunk.objects.bulk_create(
        Chunk(
            upload_id=chunk.upload_id,
            transaction_ids=part,
            known_at=chunk.known_at,
            parent=chunk,
            attempts=attempts if len(part) > 1 else 0,
        )
        for part in (ids[:middle], ids[middle:])
    )
    bell.leave("chunk")
    return halves

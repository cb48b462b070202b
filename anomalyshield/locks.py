"""Turns: what must not happen twice at once queues up, and sees what the one before it did."""

from django.db import connection

TURN = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def one_at_a_time(what: str) -> None:
    """Wait until nobody else does this; it is ours until the caller's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(TURN, [what])

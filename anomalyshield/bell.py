"""The bell: says that there may be work, carries nothing, and may be lost or doubled at will."""

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from anomalyshield.celery import app

CHANNEL = "work"


def leave(name: str) -> None:
    """Have `name` rung when the caller's transaction commits (a name in `scoring.tasks.WORK`).

    For work a person waits for. Not once per scored transaction: NOTIFY makes commits queue up
    behind one another, and the ticker finds ready rows by itself within half a second.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, name])


def ring(name: str, queue: str) -> None:
    """Send the bell to the workers. Only the ticker calls this: the broker may hang for seconds."""
    app.send_task("drain", args=[name], queue=queue, retry=False)


def waiting(queue: str) -> int:
    """Bells in the broker that no worker has heard yet."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
    with client:
        return int(client.llen(queue))

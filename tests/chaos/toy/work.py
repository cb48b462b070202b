"""What the toy does with a chunk. `toy_made` has no unique key, so that a double would show."""

import os
import signal
import time

from django.db import connection, transaction

from anomalyshield import leases
from scoring.models import Chunk

TABLES = """
CREATE TABLE toy_order (number bigint PRIMARY KEY, verb text, seconds float8 DEFAULT 0);
CREATE TABLE toy_begun (chunk bigint, pid int, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE toy_made (number bigint, pid int, at timestamptz DEFAULT clock_timestamp());
"""


def perform(chunk: Chunk) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO toy_begun VALUES (%s, %s)", [chunk.pk, os.getpid()])
        cursor.execute(
            "SELECT verb, seconds, number FROM toy_order WHERE number = ANY(%s)",
            [chunk.transaction_ids],
        )
        for order in cursor.fetchall():
            obey(*order)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO toy_made SELECT unnest(%s::bigint[]), %s",
            [chunk.transaction_ids, os.getpid()],
        )
        leases.finish(chunk)


def obey(verb: str, seconds: float, number: int) -> None:
    match verb:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "raise":
            raise ValueError(f"number {number} is poison")
        case "sleep":
            time.sleep(seconds)

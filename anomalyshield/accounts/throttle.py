"""Slows down guessing of passwords, per name from one address and per address; in the database.

Counted in fixed windows by one statement, so that many processes count exactly. Tries are counted
by address, so that nobody can lock someone else out by failing in their name.
"""

import hashlib
import time

from django.db import connection

WINDOW = 300  # seconds
PER_NAME, PER_ADDRESS = 5, 50
KEPT = 288  # windows: one day

COUNT = """
INSERT INTO accounts_loginattempts AS tries (who, address, slot, count)
VALUES (%(who)s, %(address)s, %(slot)s, 1), ('', %(address)s, %(slot)s, 1)
ON CONFLICT (who, address, slot) DO UPDATE SET count = tries.count + 1
RETURNING who, count
"""
FORGIVE = """
UPDATE accounts_loginattempts SET count = greatest(count - 1, 0)
WHERE who IN (%(who)s, '') AND address = %(address)s AND slot = %(slot)s
"""
FORGET = "DELETE FROM accounts_loginattempts WHERE slot < %s"


def wait_for(name: str, address: str | None) -> int:
    """Count one try; the seconds to wait before it may be made, 0 to go ahead."""
    this = _try(name, address)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, this)
        counts = dict(cursor.fetchall())
        if counts[""] == 1:
            cursor.execute(FORGET, [this["slot"] - KEPT])
    if counts[this["who"]] <= PER_NAME and counts[""] <= PER_ADDRESS:
        return 0
    return WINDOW - int(time.time()) % WINDOW


def forgive(name: str, address: str | None) -> None:
    """Take back the try just counted: the password was right.

    Only this one. Wiping the count would let a guesser begin anew by logging in as themselves.
    """
    with connection.cursor() as cursor:
        cursor.execute(FORGIVE, _try(name, address))


def _try(name: str, address: str | None) -> dict[str, object]:
    # Hashed: people type their password into the wrong field.
    who = hashlib.sha256(name.strip().lower().encode("utf-8", "replace")).hexdigest()
    return {"who": who, "address": address or "", "slot": int(time.time()) // WINDOW}

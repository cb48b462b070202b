"""How often somebody may ask: counted exactly in fixed windows, whatever the number of processes.

One script in Valkey counts, on Valkey's clock. While Valkey is away PostgreSQL counts instead, so
there is no moment without a limit; in the window in which it goes or comes back, both have counted
a part. (Throttles of the REST framework read and write in two steps and let a burst through.)
"""

import logging
import os
import time
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
WINDOW = 60  # seconds
PATIENCE = 0.1  # seconds for Valkey's answer; then PostgreSQL is asked
AWAY = 5.0  # seconds during which Valkey is not asked again after it failed
KEPT = 10  # windows of PostgreSQL's counts

# What does not fit is not counted: a refused caller who waits finds the whole next window.
SCRIPT = """
local window, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(redis.call('TIME')[1])
local name = KEYS[1] .. ':' .. math.floor(now / window)
local count = tonumber(redis.call('GET', name) or '0')
if count >= most then
    return window - now % window
end
redis.call('SET', name, count + 1, 'EX', window * 2)
return 0
"""
# The clock is the database's. The row is locked by the update, so two never count as one.
COUNT = """
WITH clock AS (SELECT floor(extract(epoch FROM clock_timestamp()))::bigint AS now),
counted AS (
    INSERT INTO accounts_ratewindow AS seen (who, slot, count)
    SELECT %(who)s, now / %(window)s, 1 FROM clock
    ON CONFLICT (who, slot) DO UPDATE SET count = seen.count + 1 WHERE seen.count < %(most)s
    RETURNING 1
)
SELECT CASE WHEN EXISTS (SELECT FROM counted) THEN 0 ELSE %(window)s - now %% %(window)s END,
    now / %(window)s
FROM clock
"""
FORGET = "DELETE FROM accounts_ratewindow WHERE slot < %s"


@dataclass
class _Valkey:
    """This process's connection, and since when it is no use asking."""

    client: redis.Redis | None = None
    until: float = 0.0


_valkey = _Valkey()


def _fresh() -> None:
    global _valkey
    _valkey = _Valkey()


os.register_at_fork(after_in_child=_fresh)  # a child must not speak on its parent's connection


def wait_for(who: str, most: int) -> int:
    """Count one request of `who`; the seconds to wait before the next, 0 if this one may pass.

    At most `most` pass in one window of a minute.
    """
    if time.monotonic() >= _valkey.until:
        try:
            return int(_client().eval(SCRIPT, 1, f"rate:{who}", WINDOW, most))
        except (redis.RedisError, OSError) as error:
            log.warning("Valkey does not count requests, PostgreSQL does: %s", error)
            _valkey.until = time.monotonic() + AWAY
    return _by_database(who, most)


def _client() -> redis.Redis:
    if _valkey.client is None:
        _valkey.client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
    return _valkey.client


def _by_database(who: str, most: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"who": who, "window": WINDOW, "most": most})
        wait, slot = cursor.fetchone()
        if slot % KEPT == 0:
            cursor.execute(FORGET, [slot - KEPT])
        return int(wait)


def forget() -> None:
    """Ask Valkey again at once, on a fresh connection; tests use it."""
    _fresh()

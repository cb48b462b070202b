"""Writes down for Spark what decides and how records are read, so that it needs no database.

The folder is this installation's own: it holds the key of card numbers' tokens, that of the
model's signature and the broker's password. It is made for its owner alone.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone

from anomalyshield.keyed import key_for
from scoring import arrays, cardnumbers, frauds, history, personal, policies, registry
from scoring.admitting import defaults_of
from scoring.engine.features import DAYS
from scoring.engine.history import FRAUDS, HISTORY, Rows, in_order
from scoring.engine.keys import entity_key
from scoring.engine.transaction import microseconds
from scoring.listed import entries_in_force
from scoring.models import ExchangeRate, Source, Transaction
from scoring.streaming.connection import Kafka, Login
from scoring.streaming.spark import job as jobs
from scoring.streaming.spark.keeping import SEEN

RATES = timedelta(days=366)
EVERYBODY = "(SELECT DISTINCT kind::int8, key FROM scoring_entityfraud)"
LONG_AGO, NEVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def hand_over(source: Source, reached: Kafka, folder: Path) -> str:
    """Write what is in force now; the version. A running job goes over to it by itself."""
    champion = registry.champion()
    told = {
        "source": _source(source),
        "topics": list(reached.topics),
        "policy": _policy(),
        "model": champion and {"number": champion.version.pk, "sha256": champion.version.sha256},
        "lists": [[one.number, one.code, one.entity, one.key] for one in entries_in_force()],
        "rates": _rates(),
    }
    bundle_at = registry.folder_of(champion.version) if champion else None
    return jobs.write(folder, told, _keys(reached.login), _frauds(), bundle_at)


def _source(source: Source) -> dict[str, Any]:
    defaults = defaults_of(source, timezone.now())
    behind = defaults.behind and defaults.behind.total_seconds()
    return {
        "name": source.name,
        "mapping": source.mapping,
        "schema": source.schema,
        "places": source.places,
        "currency": defaults.currency,
        "base_currency": defaults.base_currency,
        "timezone": defaults.timezone,
        "ahead": defaults.ahead.total_seconds(),
        "clamp": defaults.clamp,
        "behind": behind,
        "ids": sorted(cardnumbers.ids_of(tuple(source.mapping.items()))),
        "personal": bool(source.pii),
        "veiled": sorted(personal.IDS & personal.our_names(source.pii, source.mapping)),
    }


def _policy() -> dict[str, Any]:
    policy = policies.active()
    return {"number": policy.pk, "values": policy.values}


def _rates() -> list[tuple[str, str, str]]:
    """The exchange rates of a year: what is paid on a topic is seldom older."""
    since = timezone.now().date() - RATES
    rows = ExchangeRate.objects.filter(day__gte=since).order_by("currency", "day")
    found = rows.values_list("currency", "day", "rate")
    return [(currency, day.isoformat(), str(rate)) for currency, day, rate in found]


def _frauds() -> Rows:
    """All that is known of frauds of the last half-year, whosever they are."""
    said = {"long_ago": timezone.now() - timedelta(days=frauds.DAYS + DAYS), "last": NEVER}
    sql = frauds.KNOWN.format(whose=EVERYBODY, known="%(known_at)s")
    found = arrays.fetched(sql, said | {"known_at": timezone.now()}, FRAUDS)
    return in_order(history.ended(found))


def _keys(login: Login) -> dict[str, Any]:
    return {
        "bundle": registry.signing_key().hex(),
        "cards": key_for(cardnumbers.PURPOSE).hex(),
        "people": personal.veil_key().hex(),
        "kafka": kafka_options(login),
    }


def kafka_options(login: Login) -> dict[str, str]:
    """How a client of the JVM is told who we are."""
    told = {"security.protocol": login.protocol.upper()}
    if login.username:
        module = (
            "scram.ScramLoginModule" if "SCRAM" in login.mechanism else "plain.PlainLoginModule"
        )
        words = (
            f'{name}="{_quoted(value)}"'
            for name, value in (("username", login.username), ("password", login.password))
        )
        told["sasl.mechanism"] = login.mechanism
        told["sasl.jaas.config"] = (
            f"org.apache.kafka.common.security.{module} required {' '.join(words)};"
        )
    if login.authority:
        told |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": login.authority}
    return told


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def hand_over_past(source: Source, folder: Path) -> int:
    """The payments of the last month, for a job that has not begun: how many.

    Of this source's own the ids go along, so that what was decided here is not decided again.
    """
    past = folder / jobs.PAST
    shutil.rmtree(past, ignore_errors=True)
    (past / jobs.IDS).mkdir(parents=True, mode=0o700)
    since = timezone.now() - timedelta(days=DAYS)
    sql = f"SELECT {history.PAST} FROM scoring_transaction WHERE event_time > %s"
    rows = arrays.fetched(sql, [since], HISTORY)
    np.save(past / "0.npy", rows, allow_pickle=False)
    np.save(past / jobs.IDS / "0.npy", _known(source, since), allow_pickle=False)
    return len(rows)


def _known(source: Source, since: datetime) -> Rows:
    mine = Transaction.objects.filter(source=source, event_time__gt=since).order_by("pk")
    found = mine.values_list("external_id", "event_time", "pk", "digest")
    told = (
        (entity_key(id), microseconds(at), number, bytes(digest))
        for id, at, number, digest in found.iterator(chunk_size=10_000)
    )
    return np.fromiter(told, SEEN)

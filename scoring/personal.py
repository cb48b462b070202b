"""What a source declares personal: sealed wherever it is stored.

A sealed value is a text: a mark, a keyed hash by which equal values are found and joined, and the
value itself under AES-GCM (`scoring/secrets.py`). Sent again as it is, it is opened at the door.
Ids by which payments join (`engine/veil.py`) have a token in their column, and are sealed beside.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from anomalyshield.keyed import key_for
from scoring import secrets as vault
from scoring.engine import veil
from scoring.engine.names import our_name
from scoring.engine.transaction import Transaction as Paid
from scoring.models import Source, Transaction, VeilKey

MARK = "pii1:"
PURPOSE = "personal values"
IDS = frozenset(veil.KEYS)
ASIDE = "pii:"  # before the name of an id, in `extra`: that id, sealed
LOST = "…"
SHORTEST = 3  # characters of a value that is looked for in what is said about it


def sealed(value: Any) -> str:
    """The value as it may be stored; itself if it is sealed already."""
    if is_sealed(value):
        return str(value)
    text = json.dumps(value, sort_keys=True, default=str)
    return f"{MARK}{hash_of(value)}:{vault.seal(text)}"


def hash_of(value: Any) -> str:
    """The same for the same value, and telling nothing of it without the key."""
    text = json.dumps(value, sort_keys=True, default=str)
    return blake2b(text.encode(), key=key_for(PURPOSE), digest_size=16).hexdigest()


def token_of(value: str) -> str:
    """What stands for an id: the same for the same id, and opened by nobody. A token stays."""
    if not value or veil.is_token(value):
        return value
    return veil.token_of(value, veil_key())


def veil_key() -> bytes:
    """The key of tokens. It outlives SECRET_KEY: with another one, all would be strangers."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return _veil_key(connection.settings_dict["NAME"], secrets)


@lru_cache(maxsize=8)
def _veil_key(database: str, secrets: tuple[str, ...]) -> bytes:
    kept = VeilKey.objects.first()
    return bytes.fromhex(vault.open(kept.sealed)) if kept else key_for(PURPOSE, secrets[-1])


def called(value: str) -> tuple[str, ...]:
    """What an id that somebody asks for may be stored as: as it is, or under the veil."""
    return tuple(dict.fromkeys((value, token_of(value))))


def veiled(found: Paid, names: Iterable[str], key: bytes) -> Paid:
    """The payment with tokens for these ids of its, and the ids themselves sealed aside.

    The key is asked for once and given: threads that read files have no database.
    """
    names = IDS.intersection(names)
    aside = {f"{ASIDE}{name}": sealed(id) for name in names if (id := getattr(found, name))}
    if not aside:
        return found
    return veil.veiled(found, names, key)._replace(extra={**found.extra, **aside})


def as_sent(row: Transaction, name: str) -> str:
    """An id of a payment as its sender wrote it, for whoever may read it."""
    value = str(getattr(row, name))
    if not veil.is_token(value):
        return value
    return str(opened((row.extra or {}).get(f"{ASIDE}{name}", value)))


def is_sealed(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(MARK)


def opened(value: Any) -> Any:
    """The value again, also of one that was never sealed; LOST if no key of ours opens it."""
    if not is_sealed(value):
        return value
    try:
        return json.loads(vault.open(value.split(":", 2)[-1]))
    except (vault.SecretLost, ValueError):
        return LOST


def opened_all(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record as it was sent; the same one comes back when nothing in it is sealed."""
    if not any(is_sealed(value) for value in record.values()):
        return record
    return {name: opened(value) for name, value in record.items()}


def sealed_fields(
    record: Mapping[str, Any], pii: Iterable[str], mapping: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The record with its declared fields sealed, by their names for them or by ours."""
    names = frozenset(pii)
    return {
        name: sealed(value) if value is not None and declared(name, names, mapping) else value
        for name, value in record.items()
    }


def declared(name: str, pii: Iterable[str], mapping: Mapping[str, str] | None = None) -> bool:
    return name in pii or our_name(name, mapping) in pii


def our_names(pii: Iterable[str], mapping: Mapping[str, str] | None = None) -> set[str]:
    """The fields of ours that are declared personal, by whichever name."""
    return {our_name(name, mapping) or name for name in pii} | set(pii)


def marks(pii: Iterable[str], mapping: Mapping[str, str] | None = None) -> set[str]:
    """Every name that makes a value personal: as declared, as ours, and as a mapping reads it."""
    names = frozenset(pii)
    through = {theirs for theirs in mapping or {} if declared(theirs, names, mapping)}
    return our_names(names, mapping) | through


def without_values(
    reasons: Mapping[str, str], record: Any, source: Source, mapping: Mapping[str, str] | None
) -> dict[str, str]:
    """Reasons that quote no personal value of the record."""
    told = dict(reasons)
    for name, value in record.items() if source.pii and isinstance(record, Mapping) else ():
        text = str(value)
        if len(text) >= SHORTEST and declared(name, source.pii, mapping):
            told = {field: why.replace(text, LOST) for field, why in told.items()}
    return told


# --- another key ----------------------------------------------------------------------------------
AT_ONCE = 500
TABLES = {  # table → its columns of JSON objects that may hold sealed values
    "scoring_transaction": ("extra",),
    "scoring_rejectedrecord": ("record", "mended"),
}


def reseal() -> int:
    """Seal every personal value with the key of today; how many rows that took.

    In parts that commit by themselves: stopped in between, it goes on with the rest when it is
    called again. Raises SecretLost at a value that no key of ours opens.
    """
    _keep_veil_key()
    return sum(
        _reseal_column(table, column) for table, columns in TABLES.items() for column in columns
    )


def _keep_veil_key() -> None:
    """Tokens are stored everywhere and stay as they are, so their key stays, under today's seal."""
    kept = VeilKey.objects.first()
    if settings.SECRET_KEY_FALLBACKS if kept is None else not vault.current(kept.sealed):
        VeilKey.objects.update_or_create(id=1, defaults={"sealed": vault.seal(veil_key().hex())})


def _reseal_column(table: str, column: str) -> int:
    last, done = 0, 0
    asked = (
        f"SELECT id, {column} FROM {table} WHERE id > %s AND {column}::text LIKE %s"
        f" ORDER BY id LIMIT {AT_ONCE} FOR UPDATE"
    )
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(asked, [last, f'%"{MARK}%'])
            rows = cursor.fetchall()
            for number, text in rows:
                record = json.loads(text) if isinstance(text, str) else text
                fresh = {name: _anew(value) for name, value in record.items()}
                if fresh != record:
                    cursor.execute(
                        f"UPDATE {table} SET {column} = %s WHERE id = %s",
                        [json.dumps(fresh), number],
                    )
                    done += 1
        if not rows:
            return done
        last = rows[-1][0]


def _anew(value: Any) -> Any:
    """Unless it is sealed with the key of today already."""
    if not is_sealed(value) or vault.current(value.split(":", 2)[-1]):
        return value
    return sealed(json.loads(vault.open(value.split(":", 2)[-1])))

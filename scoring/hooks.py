"""Webhooks that come in: is a message from who holds the secret, and is it of this moment?

Standard Webhooks 1.0 (three headers, HMAC-SHA256 over `id.timestamp.body`), or one header with an
HMAC-SHA256 of the body for senders that know nothing else.
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from anomalyshield.audit.record import record
from scoring import cardnumbers, connections
from scoring import secrets as vault
from scoring.columns import Refused
from scoring.models import Source
from scoring.sourcing import changed_secrets, secret_of

WINDOW = 300  # seconds a message may be old, or ahead
LONGEST_ID = 255
FORMER_HOLDS = timedelta(hours=24)  # after a change both secrets open, so that senders can follow
SECRET, FORMER = "signing_secret", "former_signing_secret"
KNOWN_SECONDS = 4.0  # a new secret holds within five seconds in every process


class Unsigned(Exception):
    """Not from who holds the secret, or not of this moment."""


class Incomplete(Exception):
    """A header is missing that every message has."""


@dataclass(frozen=True)
class Door:
    """What a process knows of one source, for a few seconds."""

    source: Source | None
    keys: tuple[bytes, ...]
    until: float


NAME = re.compile(r"[-\w]{1,64}", re.ASCII)
_doors: dict[str, Door] = {}
# Compared with as well, so that a name nobody has takes as long as one somebody has.
NOBODY = Door(None, (bytes(32),), 0.0)


def door_of(name: str) -> Door:
    """The source of this name that takes webhooks, and the keys that open it."""
    if not NAME.fullmatch(name):
        return NOBODY
    known = _doors.get(name)
    if known and known.until > time.monotonic():
        return known
    found = Source.objects.filter(name=name, kind=Source.Kind.WEBHOOK).first()
    if found is None:
        return NOBODY
    made = Door(found, tuple(_keys(found)) or NOBODY.keys, time.monotonic() + KNOWN_SECONDS)
    _doors[name] = made
    return made if found.sealed.get(SECRET) else replace(made, source=None)


def forget() -> None:
    """Drop what this process remembers; tests and changes in the same process use it."""
    _doors.clear()


def verified(door: Door, headers: Mapping[str, str], body: bytes) -> str:
    """What the message is taken once by: its id, and its content, for senders that count ids from
    one again. Raises Incomplete or Unsigned; no word says which part was wrong."""
    said = connections.with_defaults(door.source) if door.source else {"scheme": "standard"}
    read = _standard if said.get("scheme") == "standard" else _own
    id, stamp, content, given = read(said, headers, body)
    fits = _fits(door.keys, content, given)
    timely = stamp is None or _timely(stamp)
    if not (fits and timely and door.source is not None):
        raise Unsigned("The signature does not fit, or the message is too old.")
    content = hashlib.sha256(id.encode() + body).hexdigest()
    return f"{cardnumbers.cleaned_text(id)[: LONGEST_ID - 33]}#{content[:32]}"


def _standard(
    said: Mapping[str, Any], headers: Mapping[str, str], body: bytes
) -> tuple[str, str | None, bytes, list[bytes]]:
    id, stamp, given = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (id and stamp and given) or len(id) > LONGEST_ID or not id.isprintable():
        raise Incomplete("Send webhook-id, webhook-timestamp and webhook-signature.")
    content = b".".join([id.encode(), stamp.encode("utf-8", "replace"), body])
    return (
        id,
        stamp,
        content,
        [_decoded(one[3:], "base64") for one in given.split() if one[:3] == "v1,"],
    )


def _own(
    said: Mapping[str, Any], headers: Mapping[str, str], body: bytes
) -> tuple[str, str | None, bytes, list[bytes]]:
    """One header of theirs; without an id the content is one."""
    names = [said.get(f"{name}_header", "") for name in ("signature", "id", "timestamp")]
    if any(name and not headers.get(name) for name in names):
        raise Incomplete(f"Send {', '.join(name for name in names if name)}.")
    given, id, stamp = (headers.get(name, "") if name else "" for name in names)
    if len(id) > LONGEST_ID or not id.isprintable():
        raise Incomplete(f"The id has at most {LONGEST_ID} printable characters.")
    content = stamp.encode("utf-8", "replace") + b"." + body if stamp else body
    text = given.removeprefix(said.get("signature_prefix", ""))
    return id, stamp or None, content, [_decoded(text, said.get("encoding", "hex"))]


def _decoded(text: str, encoding: str) -> bytes:
    try:
        raw = text.strip().encode("ascii")
        return (
            bytes.fromhex(raw.decode())
            if encoding == "hex"
            else base64.b64decode(raw, validate=True)
        )
    except (ValueError, binascii.Error):
        return b""


def _fits(keys: tuple[bytes, ...], content: bytes, given: list[bytes]) -> bool:
    """Every key with every signature: how long it takes tells nothing."""
    fits = False
    for key in keys:
        right = hmac.digest(key, content, "sha256")
        for one in given[:8] or [b""]:
            fits |= hmac.compare_digest(right, one)
    return fits


def _timely(stamp: str) -> bool:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    return abs(time.time() - int(stamp)) <= WINDOW


# --- secrets --------------------------------------------------------------------------------------
def _keys(source: Source) -> list[bytes]:
    """Those that sign today: the secret, and for a day the one before."""
    try:
        found = [vault.key_of(text) for text in [secret_of(source, SECRET)] if text]
        if former := secret_of(source, FORMER):
            said = json.loads(former)
            if datetime.fromisoformat(said["until"]) > timezone.now():
                found.append(vault.key_of(said["secret"]))
    except vault.SecretLost:
        return []
    return found


@transaction.atomic
def rotate(*, by: Any, source: Source, secret: str = "") -> str:
    """Another secret, theirs or one made here; the former one opens for a day beside it.

    The answer is the only place where it is ever told.
    """
    if source.kind != Source.Kind.WEBHOOK:
        raise Refused("kind", "Only a source of webhooks has a secret of this kind.")
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    fresh = secret or vault.drawn()
    if fault := vault.fault_of(fresh):
        raise Refused("secret", fault)
    wanted = {SECRET: fresh}
    try:
        if before := secret_of(source, SECRET):
            until = (timezone.now() + FORMER_HOLDS).isoformat()
            wanted[FORMER] = json.dumps({"secret": before, "until": until})
    except vault.SecretLost:
        wanted[FORMER] = ""  # nobody can check it any more
    changed_secrets(by=by, source=source, secrets=wanted, changed=[f"secret:{SECRET}"])
    record(by=by, action="source.secret_rotated", object=source)
    forget()
    return fresh

"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, version v1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings

from scoring.models import Endpoint, OutboundEvent

PREFIX = "whsec_"
SALT_BYTES = 32


class SecretLost(Exception):
    """SECRET_KEY is not the one this endpoint's secret was made with."""


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def key_of(salt: bytes) -> bytes:
    """The 32 bytes both sides share: only together do database and SECRET_KEY give them."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"webhook\0" + bytes(salt), "sha256")


def shown(salt: bytes) -> str:
    """The secret as it is given to the receiver, once."""
    return PREFIX + base64.b64encode(key_of(salt)).decode()


def mark_of(salt: bytes) -> str:
    """Recognises a secret without giving it away."""
    return hashlib.sha256(b"mark\0" + key_of(salt)).hexdigest()[:16]


def headers(event: OutboundEvent, endpoint: Endpoint, *, now: datetime) -> dict[str, str]:
    """The three headers; two signatures while a former secret still holds."""
    if mark_of(endpoint.salt) != endpoint.mark:
        raise SecretLost("SECRET_KEY changed: rotate the secret of this endpoint")
    salts = [endpoint.salt]
    if endpoint.former_until and endpoint.former_until > now:
        salts.append(endpoint.former_salt)
    stamp = str(int(now.timestamp()))
    return {
        "webhook-id": str(event),
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(
            signature(key_of(salt), str(event), stamp, event.body) for salt in salts
        ),
    }


def signature(key: bytes, id: str, stamp: str, body: str) -> str:
    content = f"{id}.{stamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()

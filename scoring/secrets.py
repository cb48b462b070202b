"""Secrets of other systems, at rest: sealed so that a copy of the database alone opens none.

AES-256-GCM with a key made of SECRET_KEY for this purpose alone. A sealed text names the key it was
sealed with, so SECRET_KEY can change: the former one goes to SECRET_KEY_FALLBACKS, everything is
read as before, and `manage.py reseal` seals it anew.
"""

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from anomalyshield.keyed import fingerprint, key_for

FORMAT = "s1"
PREFIX = "whsec_"
LEAST = 16  # bytes of a secret that signs
NONCE = 12  # bytes, as GCM wants them; drawn anew for every text
PURPOSE = "secrets of other systems"


class SecretLost(Exception):
    """It cannot be opened: SECRET_KEY is another one, or the text was changed."""


def seal(text: str) -> str:
    """The text as it may be stored; sealed twice it looks different each time."""
    mark, lock = _lock(settings.SECRET_KEY)
    nonce = os.urandom(NONCE)
    closed = lock.encrypt(nonce, text.encode(), mark.encode())
    return f"{mark}.{base64.urlsafe_b64encode(nonce + closed).decode()}"


def open(sealed: str) -> str:  # the opposite of seal
    """The text again. Raises SecretLost when no key of this installation opens it."""
    mark, _, closed = sealed.rpartition(".")
    try:
        raw = base64.urlsafe_b64decode(closed)
    except (binascii.Error, ValueError):
        raise SecretLost("This is not a sealed secret.") from None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        its, lock = _lock(secret)
        if mark == its:
            try:
                return lock.decrypt(raw[:NONCE], raw[NONCE:], mark.encode()).decode()
            except (InvalidTag, ValueError):
                raise SecretLost("The sealed secret was changed.") from None
    raise SecretLost("SECRET_KEY is not the one this was sealed with; give the secret again.")


def drawn() -> str:
    """A fresh secret of 32 bytes for signing messages, as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes a secret signs with: what stands in base64 behind whsec_, else the text itself."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (ValueError, binascii.Error):
            pass
    return secret.encode()


def fault_of(secret: str) -> str:
    """Why no messages can be signed with it, in a sentence; empty if they can."""
    if secret.startswith(PREFIX) and key_of(secret) == secret.encode():
        return "What stands behind whsec_ is base64."
    return "A secret of less than 16 bytes can be guessed." if len(key_of(secret)) < LEAST else ""


def current(sealed: str) -> bool:
    """Whether it is sealed with the key of today, so that no former one is needed for it."""
    return sealed.rpartition(".")[0] == _lock(settings.SECRET_KEY)[0]


@lru_cache(maxsize=16)
def _lock(secret: str) -> tuple[str, AESGCM]:
    """What is sealed with the key of this SECRET_KEY begins with, and that key at work."""
    key = key_for(PURPOSE, secret)
    return f"{FORMAT}.{fingerprint(key)}", AESGCM(key)

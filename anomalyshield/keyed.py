"""Keys for one purpose each, made of the installation's own: none tells anything of another."""

from functools import lru_cache
from hashlib import blake2b

from django.conf import settings


def key_for(purpose: str, secret: str = "") -> bytes:
    """32 bytes that follow from SECRET_KEY, or the former one given, and this purpose alone."""
    return _key_for(purpose, secret or settings.SECRET_KEY)


@lru_cache(maxsize=64)  # asked for by each personal value that is sealed
def _key_for(purpose: str, secret: str) -> bytes:
    whole = blake2b(secret.encode(), digest_size=64).digest()
    return blake2b(purpose.encode(), key=whole, digest_size=32).digest()


def fingerprint(key: bytes) -> str:
    """Says whether a key is still the one it was, and nothing else of it."""
    return blake2b(b"fingerprint", key=key, digest_size=8).hexdigest()

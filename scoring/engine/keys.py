"""Texts of entities as the signed 64-bit keys under which their history is kept."""

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65_536)
def entity_key(text: str) -> int:
    """The key of a text, the same in every process and release; 0 for the empty text.

    One text in 2**64 would also get 0. It gets 1, because 0 means "none".
    """
    if not text:
        return 0
    digest = blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) or 1


@lru_cache(maxsize=65_536)
def folded_key(text: str) -> int:
    """The key of a name people type by hand: case and runs of spaces make no difference."""
    return entity_key(" ".join(text.split()).casefold())


def country_number(code: str) -> int:
    """The two letters of a country as one number; 0 for none."""
    return ord(code[0]) * 256 + ord(code[-1]) if code else 0

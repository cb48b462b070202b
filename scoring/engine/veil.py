"""Ids of people under a veil: a keyed token stands where the id itself would be stored.

Payments of one customer, card or device still join, by the token; who holds the table without the
key cannot tell whose they are, nor try names (NIST SP 800-122 §4.2.4, ISO/IEC 20889: a keyed hash).
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

from scoring.engine.keys import entity_key
from scoring.engine.transaction import Transaction

MARK = "pii-"
TOKEN = re.compile(rf"{MARK}[0-9a-f]{{16}}")
KEYS = {"user_id": "user_key", "card_id": "card_key", "device_id": "device_key"}


def token_of(value: str, key: bytes) -> str:
    """The same for the same text; 64 bits, as many as the keys that histories are kept under."""
    return MARK + blake2b(value.encode(), key=key, digest_size=8).hexdigest()


def is_token(value: str) -> bool:
    return TOKEN.fullmatch(value) is not None


def veiled(found: Transaction, names: Iterable[str], key: bytes) -> Transaction:
    """The payment with tokens in these fields of KEYS, and the keys of their histories with them.

    Who sends a token, read from a table of ours, means whom it stands for: it stays as it is.
    What it says is told apart from another by a keyed hash too: the plain one could be made again
    from the other columns and a guess of the id.
    """
    given = {name: getattr(found, name) for name in names}
    tokens = {
        name: text if is_token(text) else token_of(text, key)
        for name, text in given.items()
        if text
    }
    keys = {KEYS[name]: entity_key(token) for name, token in tokens.items()}
    digest = blake2b(found.digest, key=key, digest_size=16).digest()
    return found._replace(**tokens, **keys, digest=digest)  # type: ignore[arg-type]

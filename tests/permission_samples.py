"""For each address of the site: how to build something to ask it about, and how to ask.

A new address needs one line here, or `tests/test_permissions.py` fails and says which.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Args = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """How an address is asked: its arguments and the method that does its work."""

    args: Callable[[], Args] = field(default=dict)
    method: str = "get"
    api: bool = False  # answers 401 to a stranger instead of the log-in page


def absent(**args: Any) -> Callable[[], Args]:
    """Arguments of an object that does not exist: past the gate, the answer is 404."""
    return lambda: args


GET, POST = Sample(), Sample(method="post")
NOBODY = "00000000-0000-0000-0000-000000000000"

SAMPLES: dict[str, Sample] = {
    # the ground floor
    "home": GET,
    "health": GET,
    "health-ready": GET,
    "health-deep": GET,
    "metrics": GET,
    "schema": GET,
    "docs": GET,
    "redoc": GET,
    # people, keys, the trail
    "account_login": GET,
    "account_logout": GET,
    "account_change_password": GET,
    "users": GET,
    "user-new": POST,
    "user": Sample(absent(pk=10**9)),
    "keys": GET,
    "key-new": POST,
    "key-revoke": Sample(absent(pk=NOBODY), "post"),
    "audit": GET,
    "token": Sample(method="post", api=True),
    "token-refresh": Sample(method="post", api=True),
    "token-logout": Sample(method="post", api=True),
    # alerts
    "alerts": GET,
    "alert": Sample(absent(pk=10**9)),
    "alert-claim": Sample(absent(pk=10**9), "post"),
    "alert-decide": Sample(absent(pk=10**9), "post"),
    "alert-note": Sample(absent(pk=10**9), "post"),
    "alert-escalate": Sample(absent(pk=10**9), "post"),
    # cases
    "cases": GET,
    "case": Sample(absent(pk=10**9)),
    "case-note": Sample(absent(pk=10**9), "post"),
    "case-propose": Sample(absent(pk=10**9), "post"),
    "case-approve": Sample(absent(pk=10**9), "post"),
    "case-return": Sample(absent(pk=10**9), "post"),
    # files and sources
    "uploads": GET,
    "upload": Sample(absent(pk=10**9)),
    "upload-rejects": Sample(absent(pk=10**9)),
    "upload-cancel": Sample(absent(pk=10**9), "post"),
    "sources": GET,
    # transactions
    "transactions": GET,
    "transaction": Sample(absent(pk=10**9)),
    # models and rules
    "models": GET,
    "model": Sample(absent(pk=10**9)),
    "model-train": POST,
    "run": Sample(absent(pk=10**9)),
    "model-ask": Sample(absent(pk=10**9), "post"),
    "model-approve": Sample(absent(pk=10**9), "post"),
    "model-refuse": Sample(absent(pk=10**9), "post"),
    "model-rollback": POST,
    "rules": GET,
}

"""For each address of the site: how to ask it. One line for a new one, or the grid fails by name.

Objects that do not exist are enough: who may is told 404 (or 400, 409 …), who may not is stopped
before anything is looked for.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Sample:
    """How an address is asked: the method that does its work, and the arguments of its path."""

    method: str = "get"
    args: dict[str, Any] = field(default_factory=dict)
    api: bool = False  # answers 401 to a stranger instead of the log-in page
    keys: bool = False  # a page that also opens with a machine's key


def get(**args: Any) -> Sample:
    return Sample("get", args)


def post(**args: Any) -> Sample:
    return Sample("post", args)


def api(method: str, **args: Any) -> Sample:
    return Sample(method, args, api=True, keys=True)


NO = 10**9
NO_UUID = "00000000-0000-0000-0000-000000000000"

SAMPLES: dict[str, Sample] = {
    # the ground floor
    "home": get(),
    "system": get(),
    "jump": get(),
    "permissions": get(),
    "health": get(),
    "health-ready": get(),
    "health-deep": get(),
    "metrics": api("get"),
    "schema": Sample(keys=True),
    "docs": Sample(keys=True),
    "redoc": Sample(keys=True),
    # people, keys, the trail
    "account_login": get(),
    "account_logout": get(),
    "account_change_password": get(),
    "profile": get(),
    "sessions": get(),
    "session-end": post(pk=NO),
    "sessions-end-others": post(),
    "users": get(),
    "user-new": post(),
    "user": get(pk=NO),
    "user-password": post(pk=NO),
    "keys": get(),
    "key-new": post(),
    "key-revoke": post(pk=NO_UUID),
    "audit": get(),
    "api-me": api("get"),
    "api-sessions": api("get"),
    "api-session-end": api("post", pk=NO),
    "api-sessions-end": api("post"),
    "api-users": api("get"),
    "api-user": api("get", pk=NO),
    "api-user-password": api("post", pk=NO),
    "api-keys": api("get"),
    "api-key": api("get", pk=NO_UUID),
    "api-key-revoke": api("post", pk=NO_UUID),
    "api-audit": api("get"),
    "api-audit-event": api("get", pk=NO),
    "token": api("post"),
    "token-refresh": api("post"),
    "token-logout": api("post"),
    # alerts
    "alerts": get(),
    "alert": get(pk=NO),
    "alert-claim": post(pk=NO),
    "alert-decide": post(pk=NO),
    "alert-undo": post(pk=NO),
    "alert-list": post(pk=NO),
    "alert-note": post(pk=NO),
    "alert-escalate": post(pk=NO),
    "routes": get(),
    "routes-draft": post(),
    "routing": get(pk=NO),
    "route-add": post(pk=NO),
    "route-change": post(pk=NO, route=NO),
    "route-move": post(pk=NO, route=NO),
    "route-remove": post(pk=NO, route=NO),
    "routing-discard": post(pk=NO),
    "routing-propose": post(pk=NO),
    "routing-approve": post(pk=NO),
    "routing-refuse": post(pk=NO),
    "queue-new": get(),
    "queue-edit": get(pk=NO),
    "api-alerts": api("get"),
    "api-alert": api("get", pk=NO),
    "api-alert-claim": api("post", pk=NO),
    "api-alert-release": api("post", pk=NO),
    "api-alert-decide": api("post", pk=NO),
    "api-alert-list": api("post", pk=NO),
    "api-alert-undo": api("post", pk=NO),
    "api-alert-notes": api("post", pk=NO),
    "api-alert-escalate": api("post", pk=NO),
    "api-routes": api("get"),
    "api-routes-draft": api("post"),
    "api-routing": api("get", pk=NO),
    "api-routing-trial": api("get", pk=NO),
    "api-route-add": api("post", pk=NO),
    "api-routing-discard": api("post", pk=NO),
    "api-routing-propose": api("post", pk=NO),
    "api-routing-approve": api("post", pk=NO),
    "api-routing-refuse": api("post", pk=NO),
    "api-route": api("patch", pk=NO, route=NO),
    "api-route-move": api("post", pk=NO, route=NO),
    "api-route-remove": api("post", pk=NO, route=NO),
    "api-queues": api("get"),
    "api-queue": api("get", pk=NO),
    "api-labels": api("get"),
    "api-label": api("get", pk=NO),
    # features
    "features": get(),
    "feature-owner": post(family="nothing"),
    "pipelines": get(),
    "pipeline": get(pk=NO),
    "pipeline-new": post(),
    "pipeline-activate": post(pk=NO),
    # cases
    "cases": get(),
    "case": get(pk=NO),
    "case-note": post(pk=NO),
    "case-propose": post(pk=NO),
    "case-approve": post(pk=NO),
    "case-return": post(pk=NO),
    "api-cases": api("get"),
    "api-case": api("get", pk=NO),
    "api-case-notes": api("post", pk=NO),
    "api-case-propose": api("post", pk=NO),
    "api-case-approve": api("post", pk=NO),
    "api-case-return": api("post", pk=NO),
    # files and sources
    "uploads": get(),
    "upload": get(pk=NO),
    "upload-rejects": get(pk=NO),
    "upload-cancel": post(pk=NO),
    "upload-preview": get(pk=NO),
    "upload-scored": get(pk=NO, kind="csv"),
    "upload-resume": post(pk=NO),
    "sources": get(),
    "source": get(pk=NO),
    "source-new": post(),
    "source-keepers": get(pk=NO),
    "ingest-files": api("post"),
    "ingest-file": api("get", pk=NO),
    "ingest-cancel": api("post", pk=NO),
    "api-sources": api("get"),
    "api-source": api("get", pk=NO),
    "api-keepers": api("get", pk=NO),
    "ingest-preview": api("get", pk=NO),
    "ingest-try": api("post", pk=NO),
    "ingest-start": api("post", pk=NO),
    "ingest-resume": api("post", pk=NO),
    "ingest-scored": api("get", pk=NO, kind="csv"),
    "ingest-rejects": api("get", pk=NO),
    # scoring
    "detect": api("post"),
    "predict": api("post"),
    "predict-batch": api("post"),
    "score": api("post"),
    "score-batch": api("post"),
    "score-try": api("post"),
    "api-anomalies": api("get"),
    "api-transactions": api("get"),
    "api-transaction": api("get", pk=NO),
    "api-decision": api("get", pk=NO),
    # allow and deny lists
    "lists": get(),
    "list-put": post(),
    "list-import": post(),
    "list-entry": get(pk=NO),
    "list-approve": post(pk=NO),
    "list-end": post(pk=NO),
    "api-lists": api("get"),
    "api-list-import": api("post"),
    "api-list-entry": api("get", pk=NO),
    "api-list-approve": api("post", pk=NO),
    "api-list-end": api("post", pk=NO),
    # transactions
    "try": get(),
    "transactions": get(),
    "transaction": get(pk=NO),
    # models and rules
    "models": get(),
    "model": get(pk=NO),
    "model-card": get(pk=NO),
    "model-train": post(),
    "model-rollback": post(),
    "model-ask": post(pk=NO),
    "model-approve": post(pk=NO),
    "model-refuse": post(pk=NO),
    "model-shadow": post(pk=NO),
    "run": get(pk=NO),
    "rules": get(),
    "policy-change": get(),
    "policy-request": get(pk=NO),
    "policy-approve": post(pk=NO),
    "policy-refuse": post(pk=NO),
    "api-models": api("get"),
    "api-model-train": api("post"),
    "api-model-rollback": api("post"),
    "api-runs": api("get"),
    "api-run": api("get", pk=NO),
    "api-model": api("get", pk=NO),
    "api-model-card": api("get", pk=NO),
    "api-model-ask": api("post", pk=NO),
    "api-model-approve": api("post", pk=NO),
    "api-model-refuse": api("post", pk=NO),
    "api-model-shadow": api("post", pk=NO),
    "api-rules": api("get"),
    "api-policies": api("get"),
    "api-policy-try": api("post"),
    "api-policy-requests": api("get"),
    "api-policy-request": api("get", pk=NO),
    "api-policy-approve": api("post", pk=NO),
    "api-policy-refuse": api("post", pk=NO),
    "api-policy": api("get", version=NO),
}

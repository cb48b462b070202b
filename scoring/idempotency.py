"""`Idempotency-Key`: the answer to a repeated request is the first answer, byte for byte."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from anomalyshield.problems import Problem
from scoring.models import IdempotentRequest

MOST = 255
ABANDONED = timedelta(seconds=30)  # its process died: deciding again finds the first decision
# Without waiting for the disk: after a crash the key is free, and deciding finds what stands.
BEGIN = """
INSERT INTO scoring_idempotentrequest (principal, key, digest, created_at)
VALUES (%s, %s, %s, now())
ON CONFLICT (principal, key) DO UPDATE SET created_at = now()
WHERE scoring_idempotentrequest.status IS NULL
  AND scoring_idempotentrequest.digest = EXCLUDED.digest
  AND scoring_idempotentrequest.created_at < now() - %s
RETURNING set_config('synchronous_commit', 'off', true)
"""


@dataclass(frozen=True)
class Once:
    """One credential's key and what was asked under it."""

    principal: str
    key: str
    digest: bytes


def once(request: HttpRequest, principal: str, body: bytes) -> Once | None:
    """The key of the request, if it has one. 400 for a key nobody could have meant."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return None
    if len(key) > MOST or not key.isprintable():
        raise Problem(400, "idempotency_key", f"At most {MOST} printable characters.")
    # With what is asked behind the path: the same body for another source is another request.
    where = request.get_full_path().encode()
    said = b"\n".join([request.method.encode(), where, body])
    return Once(principal, key, hashlib.sha256(said).digest())


def answered(asked: Once | None, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Answer now, or replay: 422 for another body, 409 while the first is still running."""
    if asked is None:
        return answer()
    if not _begun(asked):
        return _replayed(asked)
    rows = IdempotentRequest.objects.filter(principal=asked.principal, key=asked.key)
    try:
        response = answer()
    except BaseException:
        rows.delete()  # nothing was answered: the key is free for another try
        raise
    if response.status_code >= 500:
        rows.delete()
    else:
        rows.update(status=response.status_code, body=response.content)
    return response


def _begun(asked: Once) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [asked.principal, asked.key, asked.digest, ABANDONED])
        return cursor.fetchone() is not None


def _replayed(asked: Once) -> HttpResponse:
    first = IdempotentRequest.objects.filter(principal=asked.principal, key=asked.key).first()
    if first is None:
        raise Problem(409, "idempotency_race", "Ask again.", retry_after=1)
    if bytes(first.digest) != asked.digest:
        raise Problem(422, "idempotency_mismatch", "This key was used for another request.")
    if first.status is None:
        raise Problem(409, "idempotency_running", "The first one is still running.", retry_after=1)
    good = first.status < 400
    kind = "application/json" if good else "application/problem+json"
    response = HttpResponse(bytes(first.body), status=first.status, content_type=kind)
    response["Idempotent-Replay"] = "true"
    return response


def forget_old() -> int:
    """Keys are kept for a day."""
    return IdempotentRequest.objects.filter(created_at__lt=Now() - timedelta(days=1)).delete()[0]

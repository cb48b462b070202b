"""`manage.py smoke`: is a running installation alive from end to end?"""

import json
import urllib.error
import urllib.request
import uuid
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError


def answer(url: str, *, body: dict[str, object] | None = None, key: str = "") -> tuple[int, bytes]:
    """Status and body of one request; 0 and the reason when nobody answers."""
    headers = {"Content-Type": "application/json"} | ({"X-Api-Key": key} if key else {})
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, headers)  # noqa: S310 — the operator names it
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError as error:
        return 0, str(error).encode()


class Command(BaseCommand):
    """Ask health, readiness and, with a key, for one decision; exit 1 if any of them fails."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--endpoint", default="http://127.0.0.1:8000")
        parser.add_argument("--key", default="", help="An API key with the scope score:write")

    def handle(self, *, endpoint: str, key: str, **_: object) -> None:
        checks = [("health", None), ("health/ready", None)]
        if key:
            sample = {"transaction_id": f"smoke-{uuid.uuid4()}", "user_id": "smoke", "amount": 12.5}
            checks.append(("detect", sample))
        failed = [path for path, body in checks if not self.passes(endpoint, path, body, key)]
        if failed:
            raise CommandError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(failed)}")

    def passes(self, endpoint: str, path: str, body: dict[str, object] | None, key: str) -> bool:
        status, text = answer(f"{endpoint}/{path}", body=body, key=key)
        self.stdout.write(
            f"{'ok ' if status == 200 else 'BAD'} {path}: {status} {text[:200].decode()}"
        )
        return status == 200

"""Sealing and verifying the audit trail; beside reading it through the ORM, the naive way."""

import argparse
import hashlib
import json
import time

from benchmarks.stack import installation

FILL = """
INSERT INTO audit_auditevent (actor, role, ip, request_id, action, object_type, object_id,
    outcome, reason, before, after)
SELECT 'ana', 'analyst', '10.0.0.1', gen_random_uuid()::text, 'alert.decided', 'alerts.alert',
    n::text, 'DONE', '', '{"status": "OPEN"}',
    jsonb_build_object('status', 'CLOSED', 'disposition', 'CONFIRMED_FRAUD', 'amount', n * 1.5)
FROM generate_series(1, %s) AS n
"""


def naive() -> int:
    """Every event as a model instance, its content as JSON made in Python."""
    from anomalyshield.audit.models import AuditEvent

    seen = 0
    for event in AuditEvent.objects.exclude(number=None).order_by("number").iterator():
        fields = [event.pk, str(event.at), event.actor, event.role, event.ip, event.request_id]
        fields += [event.action, event.object_type, event.object_id, event.outcome, event.reason]
        text = json.dumps([*fields, event.before, event.after], sort_keys=True)
        seen += len(hashlib.sha256(event.previous + text.encode()).digest()) == 32
    return seen


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=200_000)
    rows = arguments.parse_args().rows
    with installation(demo=False):
        from django.db import connection

        from anomalyshield.audit.seal import seal
        from anomalyshield.audit.verify import verify

        with connection.cursor() as cursor:
            cursor.execute(FILL, [rows])
        for name, does in (("seal", seal), ("verify", verify), ("naive verify", naive)):
            start = time.monotonic()
            result = does()
            seconds = time.monotonic() - start
            print(f"{name:>14}: {seconds:6.2f} s  {rows / seconds:10,.0f} events/s", flush=True)
            assert getattr(result, "trouble", "") == ""


if __name__ == "__main__":
    main()

"""manage.py verify_audit: is the audit trail what it was when it was sealed?"""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from anomalyshield.audit.verify import verify


class Command(BaseCommand):
    """Ends with 1 and names the first bad event when the chain does not hold."""

    help = "Checks the audit trail's hash chain and anchors; names the first bad event."

    def handle(self, *args: Any, **options: Any) -> None:
        start = time.monotonic()
        report = verify()
        if report.trouble:
            raise CommandError(f"The audit trail does not hold: {report.trouble}.", returncode=1)
        self.stdout.write(
            f"The audit trail holds: {report.rows:,} events and {report.anchors:,} anchors in "
            f"{time.monotonic() - start:.1f} s, {report.unsealed:,} not sealed yet. "
            f"Head {report.head.hex()}"
        )

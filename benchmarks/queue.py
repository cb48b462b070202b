"""Pages over a million alerts and a million labels: latency, queries; beside COUNT(*) and OFFSET.

Asked through Django's test client, middleware and templates included, in a process prepared as
gunicorn's are. `first` is the first request of all for that page, right after the database was
filled; p50 and p95 are of those that follow.
"""

import argparse
import re
import time
from collections.abc import Callable
from typing import Any

from benchmarks import backlog
from benchmarks.stack import installation

DEEP = 50  # pages that somebody turns
NEXT = re.compile(r'href="\?([^"]*after=[^"]*)" data-key="\]"')
ANALYST, LEAD, ADMIN = "ana0", "ana1", "adam"
PAGES = [
    ("first page", ANALYST, "/alerts/"),
    ("first page, all queues", ADMIN, "/alerts/"),
    ("a queue that is all but empty", ANALYST, "/alerts/?queue=overflow"),
    ("critical, unassigned", ANALYST, "/alerts/?status=unassigned&level=CRITICAL"),
    ("a level nobody has", ANALYST, "/alerts/?level=LOW"),
    ("past SLA", ANALYST, "/alerts/?status=overdue"),
    ("changed since you looked", ANALYST, "/alerts/?status=changed"),
    ("mine", ANALYST, "/alerts/?mine=on"),
    ("in a case (none)", ANALYST, "/alerts/?status=escalated"),
    ("decided", ANALYST, "/alerts/?status=closed"),
    ("all", ANALYST, "/alerts/?status=all"),
    ("a frequent reason", ANALYST, "/alerts/?reason=HIGH_AMOUNT"),
    ("a rare reason", ANALYST, "/alerts/?reason=DENY_CARD"),
    ("a frequent suspicion", ANALYST, "/alerts/?suspected=CARD_TESTING"),
    ("a rare suspicion", ANALYST, "/alerts/?suspected=BUST_OUT"),
    ("one busy customer, all", ANALYST, "/alerts/?status=all&user=u2"),
    ("the API's first page", ANALYST, "/api/v1/alerts"),
    ("figures, live", ANALYST, "/analytics/live/"),
    ("figures of queues", ADMIN, "/analytics/queues/"),
    ("figures of money", ADMIN, "/analytics/money/"),
    ("figures of places", ADMIN, "/analytics/places/"),
    ("figures of places, 90 days", ADMIN, "/analytics/places/?last=90d"),
    ("figures of labels", ADMIN, "/reviews/labels/"),
    ("home of an analyst", ANALYST, "/"),
    ("home of a lead", LEAD, "/"),
    ("home of an admin", ADMIN, "/"),
]


class Browser:
    """Somebody logged in, with a stop-watch."""

    def __init__(self, username: str) -> None:
        from django.test import Client

        from anomalyshield.accounts.models import User

        self.client = Client(SERVER_NAME="localhost")
        backend = "django.contrib.auth.backends.ModelBackend"
        self.client.force_login(User.objects.get(username=username), backend=backend)

    def get(self, address: str) -> tuple[float, Any]:
        """Milliseconds and the answer."""
        start = time.perf_counter()
        answer = self.client.get(address)
        spent = 1000 * (time.perf_counter() - start)
        assert answer.status_code == 200, (address, answer.status_code)
        return spent, answer

    def queries(self, address: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            self.client.get(address)
        return len(captured)


def told(title: str, spent: list[float], asked: Any = "", first: float | None = None) -> float:
    """One line of the table; the p95."""
    spent = sorted(spent)
    p50, p95 = (spent[min(int(share * len(spent)), len(spent) - 1)] for share in (0.5, 0.95))
    began = f"{first:8.1f}" if first is not None else " " * 8
    print(f"{title:<32}{asked:>8} {began} {p50:8.1f} {p95:8.1f}", flush=True)
    return p95


def turned(browser: Browser) -> list[float]:
    """Page after page behind the cursor, as somebody who reads on does."""
    spent, query = [], ""
    for _ in range(DEEP):
        took, answer = browser.get(f"/alerts/?{query}")
        spent.append(took)
        [query] = NEXT.findall(answer.content.decode())
    return spent


def naive(page: int) -> Callable[[], None]:
    """What a first version does: count all that is seen, skip the pages before, take fifty."""
    from django.core.paginator import Paginator

    from alerts.models import Alert
    from anomalyshield.accounts.models import User

    ana = User.objects.get(username=ANALYST)

    def ask() -> None:
        seen = Alert.objects.visible_to(ana)
        found = seen.open().for_the_page().by_urgency()
        list(Paginator(found, 50).page(page).object_list)
        (seen.open().count(), seen.open().filter(assignee=None).count(), seen.overdue().count())

    return ask


def timed(ask: Callable[[], None], times: int) -> list[float]:
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        ask()
        spent.append(1000 * (time.perf_counter() - start))
    return spent


def measure(times: int) -> bool:
    """Print every row; True when each p95 holds the promise."""
    from django.urls import resolve

    resolve("/health")  # imports every view, as gunicorn's parent does
    browsers = {name: Browser(name) for name in (ANALYST, LEAD, ADMIN)}
    browsers[ANALYST].get("/profile/")  # opens the connection, reads the templates
    print(f"{'ms':<32}{'queries':>8} {'first':>8} {'p50':>8} {'p95':>8}")
    worst = 0.0
    for title, who, address in PAGES:
        first, _ = browsers[who].get(address)
        spent = [browsers[who].get(address)[0] for _ in range(times)]
        worst = max(worst, told(title, spent, browsers[who].queries(address), first))
    worst = max(worst, told(f"pages 1 to {DEEP}, by cursor", turned(browsers[ANALYST])))
    print(f"{'worst p95':<32}{'':>8} {'':>8} {'':>8} {worst:8.1f}")
    for page in (1, DEEP):
        told(f"naive: COUNT(*), OFFSET, page {page}", timed(naive(page), 5))
    return worst <= 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--open", type=float, default=0.3, help="share of them, up to 0.5")
    parser.add_argument("--times", type=int, default=30, help="requests of each page")
    asked = parser.parse_args()
    with installation(demo=False):
        start = time.perf_counter()
        backlog.fill(alerts=asked.alerts, open_share=asked.open, labels=asked.labels)
        backlog.settle()
        print(f"{asked.alerts:,} alerts and {asked.labels:,} labels stored", end=" ")
        print(f"in {time.perf_counter() - start:.0f} s")
        measure(asked.times)


if __name__ == "__main__":
    main()

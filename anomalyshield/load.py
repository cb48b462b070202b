"""An open-loop load generator: requests leave at fixed times, whatever the answers do.

Latency counts from the moment a request was due, not from when a free connection got round to
it, so a stalled server cannot hide behind the requests it kept from being sent.
"""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Result:
    """What came of a run. Latencies in seconds, sorted; statuses by code, 0 for no answer."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def percentile(self, share: float) -> float:
        """Milliseconds that `share` of the requests stayed under; NaN if there were none."""
        if not self.latencies:
            return float("nan")
        return self.latencies[min(int(share * len(self.latencies)), len(self.latencies) - 1)] * 1000

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Target:
    """One endpoint that takes JSON by POST."""

    url: str
    headers: dict[str, str]

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        return kind(parts.hostname or "localhost", parts.port, timeout=10)

    def post(self, connection: http.client.HTTPConnection, body: dict[str, object]) -> int:
        headers = {"Content-Type": "application/json", **self.headers}
        connection.request("POST", urlsplit(self.url).path, json.dumps(body), headers)
        response = connection.getresponse()
        response.read()
        return response.status


def run(
    target: Target,
    make: Callable[[int], dict[str, object]],
    *,
    rate: float,
    seconds: float,
    connections: int = 16,
) -> Result:
    """Send `rate × seconds` requests; a rate of 0 sends as fast as answers come."""
    total = int(rate * seconds) if rate else None
    result, tickets, lock = Result(), itertools.count(), threading.Lock()
    start = time.perf_counter()

    def work() -> None:
        connection = target.connect()
        for number in tickets:
            due = start + number / rate if rate else time.perf_counter()
            if (total is not None and number >= total) or due - start >= seconds:
                return
            time.sleep(max(0.0, due - time.perf_counter()))
            try:
                status = target.post(connection, make(number))
            except (OSError, http.client.HTTPException):
                status, connection = 0, target.connect()
            with lock:
                result.latencies.append(time.perf_counter() - due)
                result.statuses[status] = result.statuses.get(status, 0) + 1

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - start
    result.latencies.sort()
    return result

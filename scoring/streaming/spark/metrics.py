"""What a batch took and held, for Prometheus: in a file, and on a port if asked."""

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.exposition import write_to_textfile

SECONDS = (0.25, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """Of one job, since it was started."""

    def __init__(self, file: Path, port: int = 0) -> None:
        self.file, self.registry = file, CollectorRegistry()
        own = {"registry": self.registry}
        self.begun = False
        self.seconds = Histogram(
            "spark_batch_duration_seconds",
            "From a batch's begin to its end",
            buckets=SECONDS,
            **own,
        )
        self.rows = Counter("spark_rows_total", "Records by what became of them", ["what"], **own)
        self.newest = Gauge("spark_newest_event_seconds", "Time of the latest event", **own)
        self.first = Gauge(
            "spark_first_batch_seconds", "The first one, which starts workers", **own
        )
        if port:
            start_http_server(port, registry=self.registry)

    def note(self, seconds: float, counts: dict[str, int]) -> None:
        self.seconds.observe(seconds)
        if not self.begun:
            self.begun = True
            self.first.set(seconds)
        for what in ("decided", "refused", "raised", "late"):
            self.rows.labels(what=what).inc(counts[what])
        if counts["newest"]:
            self.newest.set(counts["newest"] / 1e6 + 946_684_800)  # 2000-01-01
        write_to_textfile(str(self.file), self.registry)

"""What Prometheus scrapes: counters of every process added up, and gauges asked of the database."""

import os
from collections.abc import Iterable

from django.conf import settings
from django.db import connection
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

TRANSACTIONS = Counter(
    "transactions_processed_total", "Total transactions processed", ["risk_level"]
)
LATENCY = Histogram(
    "scoring_latency_seconds",
    "Time to score a transaction",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 0.25, 0.5, 1, 2.5),
)
QUEUES = ("scoring_upload", "scoring_chunk", "scoring_explanation", "scoring_trainingrun")


class FromDatabase:
    """Gauges that must be exact whatever process died: asked when scraped."""

    def collect(self) -> Iterable[Metric]:
        ready = GaugeMetricFamily("work_ready", "Rows waiting to be worked on", labels=["work"])
        oldest = GaugeMetricFamily(
            "work_oldest_seconds", "Age of the oldest waiting row", labels=["work"]
        )
        with connection.cursor() as cursor:
            for table in QUEUES:
                cursor.execute(
                    "SELECT count(*), coalesce(extract(epoch FROM now() - min(due_at)), 0)"
                    f" FROM {table} WHERE state = 'READY' AND due_at <= now()"
                )
                count, age = cursor.fetchone()
                ready.add_metric([table.removeprefix("scoring_")], count)
                oldest.add_metric([table.removeprefix("scoring_")], float(age))
        return [ready, oldest]


def exposition() -> bytes:
    """The text Prometheus reads, over all processes when they share a folder."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
    else:
        registry.register(_Own())
    registry.register(FromDatabase())
    return generate_latest(registry)


class _Own:
    """This process's own metrics, when it is the only one."""

    def collect(self) -> Iterable[Metric]:
        return [*TRANSACTIONS.collect(), *LATENCY.collect()]


def may_scrape(authorization: str) -> bool:
    """The scrape token opens /metrics without a person."""
    token = settings.SCRAPE_TOKEN
    return bool(token) and authorization == f"Bearer {token}"

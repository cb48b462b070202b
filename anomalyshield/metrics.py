"""What Prometheus scrapes: counters of every process added up, and gauges asked of the database."""

import os
from collections.abc import Iterable
from secrets import compare_digest

from django.apps import apps
from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from anomalyshield.waiting import waiting

TRANSACTIONS = Counter(
    "transactions_processed_total", "Total transactions processed", ["risk_level"]
)
LATENCY = Histogram(
    "scoring_latency_seconds",
    "Time to score a transaction",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1, 0.25, 0.5, 1, 2.5),
)
RESPONSES = Counter("http_responses_total", "Answers by address and status", ["route", "status"])
MISMATCHES = Counter(
    "feature_mismatch_total", "Features sent by clients that differ from ours", ["feature"]
)
BATCH_ROWS = Histogram(
    "stream_batch_rows",
    "Messages stored and decided together",
    ["source"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
OWN = (TRANSACTIONS, LATENCY, RESPONSES, MISMATCHES, BATCH_ROWS)


class FromDatabase:
    """Gauges that must be exact whatever process died: asked when scraped."""

    def collect(self) -> Iterable[Metric]:
        ready = GaugeMetricFamily("work_ready", "Rows waiting to be worked on", labels=["work"])
        oldest = GaugeMetricFamily(
            "work_oldest_seconds", "Age of the oldest waiting row", labels=["work"]
        )
        for work in waiting():
            ready.add_metric([work.name], work.ready)
            oldest.add_metric([work.name], work.oldest)
        return [ready, oldest, *_streams()]


def _streams() -> Iterable[Metric]:
    """How far behind the readers of topics are, also while none of them lives."""
    lag = GaugeMetricFamily(
        "kafka_consumer_lag",
        "Messages that wait in a partition, as of the last look",
        labels=["source", "topic", "partition"],
    )
    missed = GaugeMetricFamily(
        "kafka_messages_missed_total",
        "Messages the broker deleted before they were read",
        labels=["source", "topic", "partition"],
    )
    for one in apps.get_model("scoring.StreamPosition").objects.read_now():
        labels = [one.source.name, one.topic, str(one.partition)]
        lag.add_metric(labels, one.lag)
        missed.add_metric(labels, one.missed)
    return [lag, missed]


class FromThisProcess:
    """This process's own counters, when it is the only one."""

    def collect(self) -> Iterable[Metric]:
        return [metric for own in OWN for metric in own.collect()]


def exposition() -> bytes:
    """The text Prometheus reads, over all processes when they share a folder."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)
    else:
        registry.register(FromThisProcess())
    registry.register(FromDatabase())
    return generate_latest(registry)


def may_scrape(authorization: str) -> bool:
    """The scrape token opens /metrics without a person."""
    expected = f"Bearer {settings.SCRAPE_TOKEN}".encode()
    return bool(settings.SCRAPE_TOKEN) and compare_digest(expected, authorization.encode())

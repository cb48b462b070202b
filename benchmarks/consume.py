"""Messages a second from a topic of Kafka to stored and decided: by one `manage.py consume` beside
a worker that is free, as in any installation, and by the reader alone.

A real broker, PostgreSQL and all of them share this machine. Beside it the same messages, read by
the same client and only parsed. Needs Java and Maven; says so and ends well where they are not.
"""

import argparse
import csv
import json
import threading
import time
from multiprocessing.synchronize import Event, Semaphore
from pathlib import Path

from benchmarks import aims
from benchmarks.detect import wanting_a_person
from benchmarks.file import COLUMNS, payments
from benchmarks.stack import broker, end_in_order, installation, workers

PEOPLE = COLUMNS[1:4]


def messages(rows: int, users: int, whose: str) -> list[tuple[str, bytes]]:
    """Payments of people of their own: the same ones twice in a hurry would become alerts."""
    records = [dict(zip(COLUMNS, row, strict=True)) for row in payments(rows, users, seed=4)]
    for record in records:
        record |= {name: f"{whose} {record[name]}" for name in PEOPLE}
    return [(record["user_id"], json.dumps(record).encode()) for record in records]


def learn(path: Path, rows: int, users: int) -> None:
    """A past of other people who pay as often, and the first model, which is made of it."""
    from django.core.files import File

    from anomalyshield import leases
    from scoring import ingest, registry, uploads
    from scoring.models import Source, Upload

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, *people, amount, at, shop, kind, city in payments(rows, users):
            writer.writerow(
                [number, *(f"past {one}" for one in people), amount, at, shop, kind, city]
            )
    past = Source.objects.create(name="past", kind="csv")
    with path.open("rb") as file:
        uploads.receive(by=None, source=past, name="past.csv", file=File(file), options={})
    for upload in leases.claim(Upload):
        ingest.perform(upload)
    champion = registry.champion()
    assert champion is not None
    print(f"{champion.version} learnt from {rows:,} payments; reading …", flush=True)


def work(ready: Semaphore, over: Event) -> None:
    """A worker, which in production is woken by a bell; here it looks twenty times a second."""
    import django

    django.setup()
    from anomalyshield import leases, pulse, worker
    from scoring.models import Chunk
    from scoring.tasks import PROMPT, look

    worker.prepare()
    while look(PROMPT):
        pass
    ready.release()
    while not over.wait(0.05):
        pulse.show("queue:detect")
        if leases.ready(Chunk):
            look(PROMPT)


def ours(servers: str, topic: str, rows: int, name: str) -> float:
    """Seconds from the first message handed to the reader until all are decided."""
    from django.db.models import Sum

    from anomalyshield.models import Heartbeat
    from scoring.management.commands.consume import warm
    from scoring.models import Chunk, Source, StreamPosition
    from scoring.streaming.connection import Kafka
    from scoring.streaming.consuming import Reader
    from scoring.streaming.positions import EARLIEST

    class AllRead(threading.Event):
        begun, looked = 0.0, 0.0

        def is_set(self) -> bool:
            if time.monotonic() - self.looked < 0.1:
                return False
            self.looked = time.monotonic()
            mine = StreamPosition.objects.filter(source=source)
            taken = mine.aggregate(n=Sum("taken"))["n"]
            if taken is not None and not self.begun:
                self.begun = self.looked  # partitions are given; the group took its time before
            return bool(taken and taken >= rows)

    source = Source.objects.create(name=name, kind="kafka")
    warm()
    stop = AllRead()
    Reader(source, Kafka(servers, (topic,), group=name, start=EARLIEST), stop).run()
    while Chunk.objects.filter(state__in=["READY", "RUNNING"]).exists():
        time.sleep(0.02)
    spent = time.monotonic() - stop.begun
    Heartbeat.objects.all().delete()  # the next reader has no worker unless one shows itself
    return spent


def only_parsed(servers: str, topic: str, rows: int) -> float:
    from datetime import UTC, datetime

    from confluent_kafka import Consumer

    from scoring.engine.transaction import Defaults, parse

    defaults = Defaults("USD", "USD", "UTC", datetime.now(UTC))
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "naive", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    first = consumer.consume(1, 30)
    start, read = time.monotonic(), len(first)
    while read < rows:
        for one in consumer.consume(500, 1):
            parse(json.loads(one.value()), defaults=defaults)
            read += 1
    consumer.close()
    return time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--past", type=int, default=20_000, help="payments there are before")
    asked = parser.parse_args()
    end_in_order()
    # No demo: it takes minutes, and what is decided here needs a past and a model, no people.
    with broker() as kafka, installation(demo=False) as folder:
        from anomalyshield import holder

        topics = {whose: kafka.topic(partitions=4) for whose in ("together", "alone")}
        for whose, topic in topics.items():
            kafka.send(topic, messages(asked.rows, asked.users, whose))
        learn(folder / "past.csv", asked.past, asked.past * asked.users // asked.rows)
        with workers(asked.workers, work):
            together = asked.rows / ours(kafka.servers, topics["together"], asked.rows, "together")
        began = time.process_time()
        alone = asked.rows / ours(kafka.servers, topics["alone"], asked.rows, "alone")
        spent = (time.process_time() - began) / asked.rows
        aims.reached("consume", together)
        print(f"by the reader alone: {alone:,.0f} msg/s, {spent * 1e6:.0f} µs of a core for each")
        print(f"of all decisions {wanting_a_person():.1%} want a person")
        naive = asked.rows / only_parsed(kafka.servers, topics["alone"], asked.rows)
        print(f"read and parsed only: {naive:,.0f} msg/s")
        holder.stop()  # before its server goes


if __name__ == "__main__":
    main()

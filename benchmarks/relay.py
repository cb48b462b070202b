"""Features of payments a second from the outbox to a topic of Kafka, by one process of a worker.

A real broker, PostgreSQL and the relay share this machine. Payments are stored and decided first,
with and without the topic, so that what telling costs the decision is seen too; by other people
each time, for the same ones twice over would be in a hurry, and alerts. Needs Java, Maven.
"""

import argparse
import time

from benchmarks.consume import learn
from benchmarks.stack import broker, end_in_order, installation

AT_ONCE = 2_000


def decided(source: object, name: str, rows: int) -> str:
    """How quickly payments are stored and decided, as the consumer does it."""
    from benchmarks.file import COLUMNS, payments
    from scoring import accepting
    from scoring.models import Decision
    from scoring.tasks import do, work_named

    records = [dict(zip(COLUMNS, row, strict=True)) for row in payments(rows, rows // 10)]
    for record in records:
        record |= {column: f"{name}-{record[column]}" for column in COLUMNS[:4]}
    start, spent = time.monotonic(), time.process_time()
    for at in range(0, rows, AT_ONCE):
        sent = [accepting.Sent(record) for record in records[at : at + AT_ONCE]]
        accepted = accepting.accept(source=source, sent=sent, door="kafka", claimed=True)
        for chunk in accepted.chunks:
            do(work_named("chunk"), chunk)
    rate, spent = rows / (time.monotonic() - start), (time.process_time() - spent) / rows
    wanted = Decision.objects.filter(reviewable=True, transaction__external_id__startswith=name)
    share = wanted.count() / rows
    return f"{rate:,.0f} payments/s, {spent * 1e6:.0f} µs of a core each; {share:.1%} alerts"


def told(rows: int) -> tuple[float, float]:
    """Messages a second until the broker has all of them, and processor seconds of each."""
    from scoring.models import Delivery
    from scoring.tasks import do_next, work_named

    start, spent, work = time.monotonic(), time.process_time(), work_named("delivery")
    while do_next(work):
        pass
    seconds, spent = time.monotonic() - start, time.process_time() - spent
    done = Delivery.objects.filter(state="DONE").count()
    assert done == rows, f"{done:,} of {rows:,} are with the broker"
    return rows / seconds, spent / rows


def measure(servers: str, topic: str, rows: int) -> None:
    from django.conf import settings

    from anomalyshield import holder
    from anomalyshield.accounts import people
    from scoring import current
    from scoring.management.commands.consume import warm
    from scoring.models import OutboundEvent, Source
    from scoring.webhooks import endpoints, events

    settings.KAFKA_SERVERS = servers
    admin, _ = people.make_user(by="command", username="adam", roles=["admin"])
    source = Source.objects.create(name="bench", kind="kafka")
    warm()
    print(f"decided without a topic: {decided(source, 'alone', rows)}")
    endpoints.make(by=admin, name="features", url=f"kafka:{topic}", events=[events.FEATURES])
    current.forget()
    print(f"decided with one:        {decided(source, 'told', rows)}")
    size = len(OutboundEvent.objects.first().body.encode())
    rate, spent = told(rows)
    print(f"relayed: {rate:,.0f} messages/s, {spent * 1e6:.0f} µs of a core each, {size:,} bytes")
    holder.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000)
    asked = parser.parse_args()
    end_in_order()
    with broker() as kafka, installation(demo=False) as folder:
        learn(folder / "past.csv", 5_000, 500)
        measure(kafka.servers, kafka.topic(partitions=4), asked.rows)


if __name__ == "__main__":
    main()

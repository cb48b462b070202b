"""How soon a chargeback is in the features of the next payment of the same customer.

python -m benchmarks.notices [--rounds 100] [--waiting 20000]
"""

import argparse
import time
from datetime import timedelta
from statistics import median

from benchmarks.stack import installation


def measure(rounds: int, waiting: int) -> None:
    from django.utils import timezone

    from scoring import noticing
    from scoring.accepting import Sent, accept
    from scoring.models import EntityFraud, Source

    till, _ = Source.objects.get_or_create(name="till", defaults={"kind": "rest"})
    bank, _ = Source.objects.get_or_create(name="bank", defaults={"about": ["till"]})
    mark, old = time.time_ns(), (timezone.now() - timedelta(days=9)).isoformat()
    spent = []
    for n in range(rounds):
        paid = {"transaction_id": f"{mark}-{n}", "user_id": f"u{mark}-{n}", "amount": 5}
        accept(source=till, sent=[Sent({**paid, "timestamp": old})], door="rest")
        said = {"notice_id": f"{mark}-{n}", "transaction_id": f"{mark}-{n}"}
        start = time.perf_counter()
        accept(source=bank, sent=[Sent(said)], door="kafka")
        assert EntityFraud.objects.filter(transaction__external_id=f"{mark}-{n}").exists()
        spent.append(1e3 * (time.perf_counter() - start))
    spent.sort()
    print(f"{'received → known of the entity':<40}{median(spent):>9.1f} ms median"
          f"{spent[int(len(spent) * 0.99)]:>9.1f} p99")  # fmt: skip
    lost = [
        Sent({"notice_id": f"w{mark}-{n}", "transaction_id": f"w{mark}-{n}"})
        for n in range(waiting)
    ]
    start = time.perf_counter()
    for at in range(0, waiting, 1000):
        accept(source=bank, sent=lost[at : at + 1000], door="kafka")
    rate = waiting / (time.perf_counter() - start)
    print(f"{'stored, thousand at a time':<40}{rate:>9,.0f} a second")
    start = time.perf_counter()
    noticing.sweep()
    spent_ms = 1e3 * (time.perf_counter() - start)
    print(f"{f'a look whether {waiting:,} can speak':<40}{spent_ms:>9.1f} ms, every 10 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--waiting", type=int, default=20_000)
    given = parser.parse_args()
    with installation(demo=False):
        measure(given.rounds, given.waiting)


if __name__ == "__main__":
    main()

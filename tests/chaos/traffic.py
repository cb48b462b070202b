"""Clients as an upstream has them: each asks until it is answered, and notes what it was told."""

import csv
import http.client
import io
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SOON = {0, 409, 429, 503}  # ask again: no answer, still under way, too much, not now
LONGEST_WAIT = 1.0  # seconds; a Retry-After of more is not for a run of seconds
BATCH = 20
FILE = 130  # rows: more than one chunk of these stacks
DETECT, EVENTS, FILES = "/detect", "/api/v1/events", "/api/v1/ingest/files"
BOUNDARY = "a-line-that-no-row-of-ours-holds"
PART = 'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv'
CITIES = ("Bern", "Oslo", "Lyon", "Porto", "Graz")


@dataclass
class Client:
    """One connection's worth of payments, one request after another; its history is a file.

    Every third request is an answer somebody waits for (`/detect`), the others are events in
    batches. Payments come late, in any order, and now and then a second time.
    """

    number: int
    port: int
    key: str
    history: Path
    pause: float = 0.0  # seconds between an answer and the next request
    over: threading.Event = field(default_factory=threading.Event)
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)  # seconds from the first asking to the answer
    made: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)
        self.told: list[tuple[str, list[dict[str, Any]]]] = []
        self.connection = self._connected()

    def run(self) -> None:
        while not self.over.wait(self.pause):
            if self.told and self.chance.random() < 0.05:
                self.ask(*self.chance.choice(self.told))  # a second time, under a key of its own
            elif self.chance.random() < 1 / 3:
                self.ask(DETECT, [self.payment()])
            else:
                self.ask(EVENTS, [self.payment() for _ in range(BATCH)])

    def payment(self) -> dict[str, Any]:
        self.made += 1
        late = timedelta(seconds=self.chance.choice([0, 1, 60, 86_400, 20 * 86_400]))
        user = self.chance.randrange(2000)
        return {
            "transaction_id": f"c{self.number}-{self.made}",
            "user_id": f"user{user}",
            "device_id": f"device{user}",
            # One in some twenty is large enough for a rule, and so for a person.
            "amount": round(self.chance.lognormvariate(3.4, 2), 2),
            "timestamp": (datetime.now(UTC) - late).isoformat(),
            "merchant": f"shop {self.chance.randrange(30)}",
            "merchant_category": "grocery",
            "location": CITIES[user % len(CITIES)],
        }

    def ask(self, path: str, payments: list[dict[str, Any]]) -> None:
        """Until it is answered for good; the same key and the same bytes each time."""
        body, type = self.written(path, payments)
        once, first = uuid.UUID(int=self.chance.getrandbits(128)).hex, time.monotonic()
        ids = [payment["transaction_id"] for payment in payments]
        while True:
            self._write(path, ids, "asked")
            status, answer, wait = self._answered(path, body, type, once)
            self.statuses[status] += 1
            self._write(path, ids, status, answer)
            if status < 500 and status not in SOON:
                break
            # It counts on: a client that gives up would not know what became of its payment.
            time.sleep(min(max(wait, 0.05), LONGEST_WAIT))
        self.waits.append(time.monotonic() - first)
        if status < 300:
            self.told = [*self.told[-200:], (path, payments)]

    def written(self, path: str, payments: list[dict[str, Any]]) -> tuple[str, str]:
        """The body and its content type."""
        return json.dumps(payments if path != DETECT else payments[0]), "application/json"

    def _answered(
        self, path: str, body: str, type: str, once: str
    ) -> tuple[int, dict[str, Any], float]:
        headers = {
            "Content-Type": type, "X-API-Key": self.key, "Idempotency-Key": once,
        }  # fmt: skip
        try:
            self.connection.request("POST", path, body, headers)
            response = self.connection.getresponse()
            said = json.loads(response.read())
            return response.status, said, float(response.headers.get("Retry-After") or 0)
        except (OSError, http.client.HTTPException, ValueError):
            self.connection.close()
            self.connection = self._connected()
            return 0, {}, 0.2

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)

    def _write(self, path: str, ids: list[str], status: int | str, answer: Any = None) -> None:
        line = {"path": path, "ids": ids, "status": status, "answer": answer}
        with self.history.open("a") as file:
            file.write(json.dumps(line) + "\n")


class Sender(Client):
    """A client that sends files of payments. Now and then one a second time, or rows of one again
    in another; it waits a moment between two, as whoever has a day to send would."""

    def run(self) -> None:
        while not self.over.wait(self.chance.uniform(0.2, 1.2) + self.pause):
            known = self.chance.choice(self.told)[1] if self.told else []
            if known and self.chance.random() < 0.1:
                self.ask(FILES, known)
            else:
                again = known[: FILE // 5] if self.chance.random() < 0.3 else []
                fresh = [self.payment() for _ in range(FILE - len(again))]
                self.ask(FILES, [*again, *fresh])

    def written(self, path: str, payments: list[dict[str, Any]]) -> tuple[str, str]:
        rows = io.StringIO()
        writer = csv.DictWriter(rows, list(payments[0]))
        writer.writeheader()
        writer.writerows(payments)
        head = PART.format(name=f"{payments[-1]['transaction_id']}.csv")
        parts = [f"--{BOUNDARY}", head, "", rows.getvalue(), f"--{BOUNDARY}--", ""]
        return "\r\n".join(parts), f"multipart/form-data; boundary={BOUNDARY}"


@dataclass
class Traffic:
    """Several clients at once; the last of them sends files."""

    clients: list[Client]
    threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def of(
        cls, folder: Path, port: int, key: str, many: int, first: int, pause: float = 0.0
    ) -> "Traffic":
        """Clients numbered from `first` on, so that none ever names a payment as another did."""
        kinds = [Client] * (many - 1) + [Sender]
        return cls([
            kind(number, port, key, folder / f"history-{number}.jsonl", pause)
            for number, kind in enumerate(kinds, start=first)
        ])  # fmt: skip

    def start(self) -> None:
        self.threads = [threading.Thread(target=one.run, daemon=True) for one in self.clients]
        for thread in self.threads:
            thread.start()

    def end(self, patience: float = 120) -> bool:
        """No new requests; did every one that was asked get its answer?"""
        for one in self.clients:
            one.over.set()
        until = time.monotonic() + patience
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self.threads)

    @property
    def statuses(self) -> Counter[int]:
        return sum((one.statuses for one in self.clients), Counter())

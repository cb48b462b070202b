"""Payments sent one by one to a running server, and what it said of each kind."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SAID = ("APPROVE", "REVIEW", "BLOCK")
PATHS = ("/api/v1/scoring/score", "/detect")


@dataclass(frozen=True)
class Watched:
    """One scoring endpoint; it remembers the recommendation for each transaction id."""

    url: str
    headers: Mapping[str, str]
    said: dict[str, str] = field(default_factory=dict)

    def connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(parts.hostname or "localhost", parts.port, timeout=10)

    def post(self, connection: http.client.HTTPConnection, body: dict[str, Any]) -> int:
        status, answer = self.ask(connection, body)
        if status == 200:
            self.said[body["transaction_id"]] = answer["recommendation"]
        return status

    def ask(
        self, connection: http.client.HTTPConnection, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; an answer that is not JSON is kept as its text."""
        path = urlsplit(self.url).path
        sent = body if path == "/detect" else {"data": body}
        headers = {"Content-Type": "application/json", **self.headers}
        connection.request("POST", path, json.dumps(sent), headers)
        response = connection.getresponse()
        text = response.read()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, {"detail": text[:200].decode(errors="replace")}


def found(said: Mapping[str, str], truth: Mapping[str, str]) -> Iterator[str]:
    """A table: what each kind of payment really was, and how many of it went where."""
    counts: dict[str, Counter[str]] = {}
    for name, word in said.items():
        counts.setdefault(truth[name].lower(), Counter())[word] += 1
    yield f"{'':20}{'payments':>10}" + "".join(f"{word.lower():>10}" for word in SAID)
    for kind in sorted(counts):
        own = counts[kind]
        cells = [own.total(), *(own[word] for word in SAID)]
        yield f"{kind or 'honest':20}" + "".join(f"{cell:>10,}" for cell in cells)

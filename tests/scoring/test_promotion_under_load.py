"""Promotions and rollbacks while requests run: each decision names the version that made it."""

import os
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from django.db import connection

from scoring import explaining, promotions, registry
from scoring.engine import features, training
from scoring.engine.history import History
from scoring.models import Decision, ModelVersion
from tests.scoring import making
from tests.scoring.web import payment, post, serving

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
SWITCHES = 10
PAUSE = 0.7  # seconds between two changes: less than a process remembers who decides
VISIBLE = 5.0  # seconds until every process decides by the new champion


class Traffic:
    """Callers that ask until told to stop: single payments and batches of five, in turn."""

    def __init__(self, port: int, key: str, callers: int = 3) -> None:
        self.port, self.key = port, key
        self.over = threading.Event()
        self.failed: list[object] = []
        self.named: list[tuple[str, list[str]]] = []  # transaction, versions its answer names
        self.callers = [threading.Thread(target=self.run, args=(n,)) for n in range(callers)]

    def __enter__(self) -> "Traffic":
        for caller in self.callers:
            caller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for caller in self.callers:
            caller.join()

    def run(self, caller: int) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                self.ask(f"{caller}-{number}", batch=number % 4 == 0)
            except Exception as error:
                self.failed.append(error)

    def ask(self, name: str, *, batch: bool) -> None:
        if batch:
            rows = [payment(f"{name}-{row}", 10.0 + row) for row in range(5)]
            status, body = post(self.port, self.key, "/predict/batch", {"transactions": rows})
        else:
            status, body = post(self.port, self.key, "/detect", payment(name))
        if status != 200 or body.get("errors"):
            self.failed.append((status, body))
        self.named += [
            (one["transaction_id"], one["model_version"]) for one in body.get("results", [body])
        ]


def second_model() -> ModelVersion:
    """A candidate that scores differently from the first."""
    events = making.made_up_events(seed=11)
    vectors = features.compute(events, History.of(events))
    bundle = training.fit(vectors, None, events["time"], budget=0.05, seed=23)
    return registry.register(bundle, kind="cold", cutoff=making.START, trained_rows=len(events))


def promote(version: ModelVersion, mona, otto) -> None:
    request = promotions.ask(by=mona, version=version, reason="better")
    promotions.approve(by=otto, request=request)


def decided_lately(seconds: float) -> set[int]:
    """The versions that decided in the last seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT model_id FROM scoring_decision"
            " WHERE decided_at > now() - make_interval(secs => %s)",
            [seconds],
        )
        return {version for (version,) in cursor.fetchall()}


def crowd() -> float:
    """How many want each processor: the promise is about a machine that has one to spare."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def visible_after(version: ModelVersion) -> float:
    """Seconds until no process decides by another version any more."""
    start = time.monotonic()
    while decided_lately(0.3) != {version.pk}:
        waited = time.monotonic() - start
        assert waited < (VISIBLE + 0.3) * crowd(), "an old champion still decides"
        time.sleep(0.05)
    return time.monotonic() - start


def test_each_decision_names_the_version_that_made_it(adam, mona, otto, tmp_path: Path, capsys):
    first, second = making.first_model(), second_model()
    served = serving(adam, tmp_path, processes=2, deadline=30)
    with served as (port, key), Traffic(port, key) as traffic:
        time.sleep(0.5)
        for turn in range(SWITCHES):
            if turn % 2:
                promotions.roll_back(by=mona, reason="worse after all")
            else:
                promote(second, mona, otto)
            time.sleep(PAUSE)
        seen_first = visible_after(first)
        promote(second, mona, otto)
        seen_second = visible_after(second)
    assert traffic.failed == []

    decisions = {
        d.transaction.external_id: d for d in Decision.objects.select_related("transaction")
    }
    assert {d.degraded for d in decisions.values()} == {""}
    by_version = Counter(d.model_id for d in decisions.values())
    assert min(by_version[first.pk], by_version[second.pk]) > 20
    said = dict(traffic.named)
    assert said.keys() == decisions.keys()
    for name, decision in decisions.items():
        assert said[name] == str(decision.model), name
    for version in (first, second):
        made_by_it(version, [d for d in decisions.values() if d.model_id == version.pk])
    no_batch_is_mixed(decisions)
    with capsys.disabled():
        print(
            f"\n  {len(decisions)} decisions over {SWITCHES + 1} changes, 0 errors; the last two"
            f" were in force everywhere after {seen_first:.1f} s and {seen_second:.1f} s"
        )


def made_by_it(version: ModelVersion, decisions: list[Decision]) -> None:
    """Its bundle makes these very scores again, bit for bit, out of the stored vectors."""
    vectors = explaining.stored_vectors(decisions)
    matrix = np.array([vectors[decision.pk] for decision in decisions])
    scores = registry.load(version).ensemble.score(matrix).risk_score.tolist()
    assert scores == [decision.risk_score for decision in decisions]


def no_batch_is_mixed(decisions: dict[str, Decision]) -> None:
    batches: dict[str, set[int]] = {}
    for name, decision in decisions.items():
        batch, _, _row = name.rpartition("-")
        if batch.count("-") == 2:
            batches.setdefault(batch, set()).add(decision.model_id)
    assert batches
    assert all(len(versions) == 1 for versions in batches.values())

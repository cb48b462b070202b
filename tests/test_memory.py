"""A process that has loaded everything does not walk it again for each collection of cycles."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from django.db import connection

from anomalyshield import memory, serving, worker
from scoring import warming
from scoring.engine import warming as kernels


class Knot:
    """Something that only the collector of cycles can free."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    known = gc.get_threshold()
    gc.unfreeze()  # what was frozen when the tests were collected
    yield
    gc.freeze()
    gc.set_threshold(*known)


def test_what_is_loaded_is_left_alone_and_what_comes_later_is_collected() -> None:
    memory.settle()
    assert gc.get_freeze_count() > 50_000
    assert len(gc.get_objects()) < 1_000
    later = weakref.ref(Knot())
    gc.collect()
    assert later() is None


def test_web_processes_and_workers_settle_once_they_are_loaded(monkeypatch) -> None:
    for place, name in ((warming, "warm"), (kernels, "compile_kernels")):
        monkeypatch.setattr(place, name, lambda: None)
    options = connection.settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", options["options"])  # as it was, afterwards
    settled = []
    monkeypatch.setattr(memory, "settle", lambda: settled.append(1))
    serving.on_starting(None)
    serving.post_worker_init(None)
    worker.prepare()
    assert len(settled) == 3
    assert "max_parallel_workers_per_gather=0" in options["options"]  # nor do two workers race

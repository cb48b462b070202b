"""Shelves of the Spark job: what batches wrote is found, merged, and the same when done again."""

import numpy as np
import pytest

from scoring.engine.history import HISTORY, HOURS
from scoring.streaming.spark.keeping import FAN, Ahead, Shelf
from scoring.streaming.spark.marks import LATE_AFTER, Apart, Marks


def rows(*keys: int, time: int = 0) -> np.ndarray:
    made = np.zeros(len(keys), HISTORY)
    made["user"], made["time"], made["id"] = keys, time, np.arange(len(keys))
    return made


def everything(found: np.ndarray) -> np.ndarray:
    return found


def test_rows_are_found_by_key_in_what_batches_before_wrote(tmp_path):
    shelf = Shelf.of(tmp_path, "user", 3)
    shelf.put(rows(5, 2, 5, -9, 2**63 - 1), number=1)
    shelf.put(rows(5, 7), number=2)
    found = shelf.find(np.array([5, -9, 4, 2**63 - 1]), before=2)
    assert sorted(found["user"].tolist()) == [-9, 5, 5, 2**63 - 1]
    assert len(shelf.find(np.array([5]), before=3)) == 3
    assert len(shelf.find(np.array([5]), before=1)) == 0


def test_a_batch_done_again_finds_what_it_found_and_counts_once(tmp_path):
    shelf = Shelf.of(tmp_path, "user", 0)
    shelf.put(rows(1), number=1)
    for _ in range(2):
        assert len(shelf.find(np.array([1]), before=2)) == 1
        shelf.put(rows(1, 1), number=2)
    assert len(shelf.find(np.array([1]), before=3)) == 3


def test_many_files_become_few_and_nothing_is_lost_but_what_is_old(tmp_path):
    shelf = Shelf.of(tmp_path, "user", 0)
    for number in range(1, FAN**2 + 5):
        shelf.settle(before=number, keep=everything)
        shelf.put(rows(1, 2, time=number), number=number)
    assert len(list(shelf.folder.iterdir())) < 2 * FAN
    found = shelf.find(np.array([2]), before=FAN**2 + 5)
    assert sorted(found["time"].tolist()) == list(range(1, FAN**2 + 5))
    other = Shelf.of(tmp_path, "user", 1)
    for number in range(1, FAN + 1):
        other.put(rows(1, time=number), number=number)
    other.settle(before=FAN + 1, keep=lambda all_: all_[all_["time"] > 5])
    assert len(other.find(np.array([1]), before=FAN + 1)) == FAN - 5


def test_a_crash_amid_merging_counts_nothing_twice(tmp_path):
    shelf = Shelf.of(tmp_path, "user", 0)
    for number in range(1, FAN + 1):
        shelf.put(rows(1, time=number), number=number)
    before = {path.name: path.read_bytes() for path in shelf.folder.iterdir()}
    shelf.settle(before=FAN + 1, keep=everything)
    for name, content in before.items():  # the merged one is there, its parts are, too
        (shelf.folder / name).write_bytes(content)
    (shelf.folder / "000000000009-000000000009-0.99").write_bytes(b"half a fi")
    assert len(shelf.find(np.array([1]), before=FAN + 1)) == FAN


def test_hours_of_merchants_add_up(tmp_path):
    shelf = Shelf.of(tmp_path, "hours", 0)
    for number in range(1, FAN + 1):
        shelf.put(np.array([(4, 0, 1, 10), (4, 3600, 2, number)], HOURS), number=number)
    shelf.settle(before=FAN + 1, keep=everything)
    [path] = shelf.folder.iterdir()
    assert np.load(path).tolist() == [(4, 0, FAN, 10 * FAN), (4, 3600, 2 * FAN, 36)]


def test_a_checkpoint_that_was_set_back_is_refused_in_words(tmp_path):
    shelf = Shelf.of(tmp_path, "user", 0)
    for number in range(1, FAN + 1):
        shelf.put(rows(1), number=number)
    shelf.settle(before=FAN + 1, keep=everything)
    with pytest.raises(Ahead, match="holds batches up to 7"):
        shelf.find(np.array([1]), before=4)


def test_the_watermark_follows_the_latest_event_and_stays_when_a_batch_is_done_again(tmp_path):
    marks = Marks.of(tmp_path, 4)
    assert marks.begin(0).newest == 0
    marks.done(0, 500)
    assert marks.begin(0).newest == 0
    assert marks.begin(1).watermark == 500 - LATE_AFTER
    marks.done(1, 900)
    marks.done(1, 900)  # again
    assert (marks.begin(1).newest, marks.begin(2).newest) == (500, 900)
    marks.done(2, 10)  # late ones only
    assert marks.begin(3).newest == 900


def test_state_and_checkpoint_that_are_apart_are_refused_in_words(tmp_path):
    marks = Marks.of(tmp_path, 4)
    with pytest.raises(Apart, match="nothing is kept"):
        marks.begin(3)
    marks.done(0, 1)
    with pytest.raises(Apart, match="restore both, or begin anew"):
        marks.begin(5)
    with pytest.raises(Apart, match="in 4 shards, not in 8: start the job with --shards 4"):
        Marks.of(tmp_path, 8).begin(1)

"""What an engineer reads when the job for Spark ends, cannot begin, or must not."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from scoring.management.commands import spark
from scoring.models import Source
from scoring.streaming import connection
from scoring.streaming.spark import endings, sinks
from scoring.streaming.spark.job import Unusable
from scoring.streaming.spark.marks import Apart
from scoring.streaming.spark.running import alone

UNTOLD = "Caused by: o.a.TimeoutException: Topic alerts not present in metadata after 60000 ms."
LEFT = {"topic": "payments", "reader": "spark"}
PLACES = {"servers": "kafka:9092", "out": "alerts", "folder": "/shared/job"}
JAVA = """[STREAM_FAILED] Query [id = 7] terminated with exception: {} SQLSTATE: XXKST
=== Streaming Query ===
Caused by: java.lang.Exception: more
"""


@pytest.mark.parametrize(
    "java, words",
    [
        ("o.a.k.c.errors.UnknownTopicOrPartitionException: This server", "has no topic payments."),
        (f"{UNTOLD}\nCaused by: o.a.UnknownTopicOrPartitionException: no", "--out"),
        (UNTOLD, "does not answer"),  # the same words, when the broker is gone
        ("[KAFKA_DATA_LOSS.COULD_NOT_READ] Some data may have been lost", "--accept-loss"),
        ("java.io.IOException: No space left on device", "no room left on the disk of /shared/job"),
        ("java.lang.OutOfMemoryError: Java heap space", "--most"),
        ("o.a.k.c.errors.SaslAuthenticationException: no", "manage.py check_source"),
        ("TimeoutException: Call(callName=describeTopics) timed out", "does not answer"),
        ("Something.that.nobody.expected", "The job ended with: java.lang.Exception: more"),
    ],
)
def test_what_java_says_in_a_hundred_lines_is_a_sentence(java, words):
    said = endings.words(RuntimeError(JAVA.format(java)), topics=["payments"], **PLACES)
    assert words in said
    assert "\n" not in said


def test_what_is_said_by_us_is_said_as_it_is():
    assert endings.words(Apart("restore both"), topics=[], **PLACES) == "restore both"


def test_a_folder_is_the_work_of_one_job_at_a_time(tmp_path):
    with pytest.raises(Unusable, match="holds no job"), alone(tmp_path):
        pass
    (tmp_path / "current").write_text("1")
    again = pytest.raises(Unusable, match="Another job is at work")
    with alone(tmp_path), again, alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_decisions_of_another_checkpoint_are_never_written_over(tmp_path):
    """One that begins anew counts its batches from 0 again."""
    checkpoint, folder = tmp_path / "checkpoint", tmp_path / "decisions"
    checkpoint.mkdir()
    (checkpoint / "metadata").write_text(json.dumps({"id": "first"}))
    for _ in range(2):
        sinks.Parquet(folder, checkpoint).begin()
    (checkpoint / "metadata").write_text(json.dumps({"id": "second"}))
    with pytest.raises(Apart, match="another checkpoint"):
        sinks.Parquet(folder, checkpoint).begin()


@pytest.fixture
def driver(monkeypatch):
    """What is started instead of Spark, which goes on until it is told to end."""

    class Driver:
        words: list[str] = []
        returncode = None

        def __init__(self, words, **_):
            Driver.words = words

        def poll(self):
            return self.returncode

        def terminate(self):
            self.returncode = 0

        wait = terminate

    monkeypatch.setattr(spark, "_spark", lambda **_: ({}, "connector.jar"))
    monkeypatch.setattr(spark.subprocess, "Popen", Driver)
    monkeypatch.setattr(spark, "AGAIN", 0.01)
    return Driver


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change, words",
    [
        ({"active": False}, "was switched off"),
        ({"connection": {"topic": "other"}}, "is reached in another way now"),
        ({"connection": {"preset": "none"}}, "preset is one of"),
    ],
)
def test_a_job_ends_when_its_source_does(change, words, driver, monkeypatch, settings, tmp_path):
    settings.KAFKA_SERVERS, settings.VAR = "kafka:9092", tmp_path
    told = {"topic": "payments", "auto_offset_reset": "earliest", "reader": "spark"}
    source = Source.objects.create(name="bank", kind="kafka", connection=told)
    hand_over, times = spark.handover.hand_over, []

    def changed(*said):
        if len(times) == 1:
            Source.objects.filter(pk=source.pk).update(**change)
        times.append(hand_over(*said))
        return times[-1]

    monkeypatch.setattr(spark.handover, "hand_over", changed)
    with pytest.raises(CommandError, match=words):
        call_command("spark", "bank", stderr=StringIO())
    begins = driver.words[driver.words.index("--start") + 1]
    assert begins == connection.EARLIEST, "as the source says"


@pytest.mark.django_db
def test_a_topic_is_not_read_and_told_at_once(settings, tmp_path):
    settings.KAFKA_SERVERS, settings.VAR = "kafka:9092", tmp_path
    Source.objects.create(name="bank", kind="kafka", connection=LEFT)
    with pytest.raises(CommandError, match="payments is read and told at once"):
        call_command("spark", "bank", out="payments")
    assert not (tmp_path / "spark").exists()

"""Real processes: killed in the middle, resumed at the checkpoint; how much memory they take."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from anomalyshield import leases
from scoring import uploads
from scoring.models import Chunk, RejectedRecord, Source, Transaction, Upload

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc"),
]
PEAK = "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])"
WORK = f"""
import sys
import django
django.setup()
from anomalyshield import leases
from scoring import bootstrap, reading
from scoring.models import Upload
from scoring.tasks import do, work_named
reading.BLOCK_ROWS = int(sys.argv[1])
bootstrap.first_model = lambda: None  # half a minute of a core, and more memory than storing takes
for row in leases.claim(Upload):
    do(work_named("upload"), row)
{PEAK}
"""
READ = f"""
import sys
from pathlib import Path
from scoring.sources import file_source
count = sum(len(b.records) for b in file_source(sys.argv[1]).blocks(Path(sys.argv[2]), None, 5000))
assert count == int(sys.argv[3]), count
{PEAK}
"""


def process(program, *arguments, faults=""):
    """Run a program inside the platform, on the database of this test."""
    url = urlsplit(os.environ["DATABASE_URL"])
    database = url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "anomalyshield.settings",
            "ANOMALYSHIELD_VAR": str(Path(settings.UPLOADS).parent),
            "ANOMALYSHIELD_FAULTS": faults,
            "LOG_LEVEL": "ERROR",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def receive(path):
    source, _ = Source.objects.get_or_create(name="bank")
    with path.open("rb") as file:
        return uploads.receive(by="command", source=source, name=path.name, file=file, options={})


def write(path, rows, note=""):
    with path.open("w", encoding="utf-8") as file:
        file.write("transaction_id,user_id,amount,timestamp,merchant,city,note\n")
        for n in range(rows):
            amount = "bad" if n % 1000 == 7 else f"{n % 500}.25"
            moment = f"2026-01-{1 + n % 28:02d}T{n % 24:02d}:00:00Z"
            file.write(f't{n},u{n % 300},{amount},{moment},"Shop, {n % 40}",Pune,{note}\n')


@pytest.mark.django_db(transaction=True)
def test_killed_anywhere_it_goes_on_at_its_checkpoint_and_doubles_nothing(tmp_path):
    write(tmp_path / "day.csv", 6_000)
    upload = receive(tmp_path / "day.csv")
    progress = []
    for faults in (
        "block.before_commit=kill9@3",
        "block.before_commit=kill9@1",
        "block.before_commit=kill9@4",
        "upload.before_commit=kill9@1",
        "",
    ):
        done = process(WORK, 500, faults=faults)
        assert done.returncode == (-signal.SIGKILL if faults else 0), done.stderr
        upload.refresh_from_db()
        progress.append(upload.progress)
        assert Transaction.objects.count() == upload.accepted
        # The server saw the connection die; here nobody waits for the lease to end either.
        Upload.objects.filter(state="RUNNING").update(state="READY", lease_token=None)
    assert progress == sorted(progress)
    assert progress[0] < progress[2] < progress[3] == 1
    assert (upload.state, upload.stage) == ("DONE", "SCORING")
    assert (upload.read, upload.accepted, upload.repeated, upload.rejected) == (6000, 5994, 0, 6)
    assert RejectedRecord.objects.count() == 6
    cut = Counter(id for chunk in Chunk.objects.all() for id in chunk.transaction_ids)
    assert set(cut.values()) == {1}
    assert len(cut) == 5994
    assert list(Path(settings.UPLOADS).iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_dead_workers_file_is_free_at_once(tmp_path):
    write(tmp_path / "day.csv", 1_000)
    upload = receive(tmp_path / "day.csv")
    process(WORK, 100, faults="block.before_commit=kill9@3")
    with connection.cursor() as cursor:  # just after its start the server spares unknown holders
        cursor.execute(
            "SELECT pg_sleep(greatest(0, 5.1 - extract(epoch FROM now() - start)))"
            " FROM pg_postmaster_start_time() AS start"
        )
    # The server has to notice first that nobody is there: its end of the connection ends itself.
    until = time.monotonic() + 2
    while not (freed := leases.free_orphans(Upload, work="upload")) and time.monotonic() < until:
        time.sleep(0.02)
    assert freed == 1
    upload.refresh_from_db()
    assert (upload.state, upload.read) == ("READY", 200)


@pytest.mark.django_db(transaction=True)
def test_storing_takes_no_more_memory_for_a_file_four_times_as_long(tmp_path):
    peaks = []
    for rows in (10_000, 40_000):
        write(tmp_path / f"{rows}.csv", rows)
        receive(tmp_path / f"{rows}.csv")
        done = process(WORK, 5_000)
        assert Upload.objects.latest("pk").state == "DONE", done.stderr
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] < 300  # MB
    assert peaks[1] - peaks[0] < 20


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_of_150_megabytes_is_read_in_little_memory(kind, tmp_path):
    path = tmp_path / f"big.{kind}"
    rows = 150_000
    if kind == "csv":
        write(path, rows, "n" * 950)
        assert path.stat().st_size > 150_000_000
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        names = pa.array([f"{n}{'n' * 1000}" for n in range(rows)])
        pq.write_table(
            pa.table({"note": names}),
            path,
            compression="none",
            use_dictionary=False,
            row_group_size=20_000,
        )
    done = process(READ, kind, path, rows)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) / 1024 < (100 if kind == "csv" else 300)  # MB


def test_a_bomb_of_repeated_text_is_read_in_little_memory(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, rows = tmp_path / "bomb.parquet", 2_000_000
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 10_000])
    pq.write_table(pa.table({"note": text}), path)  # 20 GB when written out
    assert path.stat().st_size < 1_000_000
    done = process(READ, "parquet", path, rows)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) / 1024 < 300

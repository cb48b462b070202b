"""A file of a gigabyte through a real worker that is killed twice: memory, rows a second, loss."""

import argparse
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.file import COLUMNS, payments
from benchmarks.stack import installation

BLOCK = 200_000  # rows made once and repeated with other ids, so that making them takes no hour
STORE = """
from anomalyshield import leases
from scoring.models import Upload
from scoring.tasks import do, free_orphans, work_named
free_orphans()
for row in leases.claim(Upload):
    do(work_named("upload"), row)
"""


def write(path: Path, size: int) -> int:
    """A CSV of at least `size` bytes; how many rows it has."""
    rest = [",".join(map(str, row[1:])) for row in payments(BLOCK, 50_000)]
    rows = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        while file.tell() < size:
            file.writelines(f"L{rows + place},{line}\n" for place, line in enumerate(rest))
            rows += len(rest)
    return rows


def peak(pid: int) -> int:
    """Megabytes of memory the process ever had at once."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next(
        (int(line.split()[1]) // 1024 for line in status.splitlines() if "VmHWM" in line), 0
    )


def stored(upload: int, kill_at: list[float]) -> tuple[int, list[float]]:
    """Work through the file, killing the worker at these shares; peak memory and progress seen."""
    from scoring.models import Upload

    highest, seen = 0, [0.0]
    while Upload.objects.get(pk=upload).state != Upload.State.DONE:
        worker = subprocess.Popen([sys.executable, "manage.py", "shell", "-v0", "-c", STORE])
        while worker.poll() is None:
            highest = max(highest, peak(worker.pid))
            seen.append(Upload.objects.get(pk=upload).progress)
            if kill_at and seen[-1] >= kill_at[0]:
                kill_at.pop(0)
                os.kill(worker.pid, signal.SIGKILL)
                print(f"  killed at {seen[-1]:.0%}", flush=True)
            time.sleep(0.2)
    return highest, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    asked = parser.parse_args()
    with installation(demo=False) as folder:
        from django.core.files import File

        from anomalyshield import holder
        from scoring import uploads
        from scoring.models import Source, Transaction

        path = folder / "large.csv"
        rows = write(path, asked.megabytes * 1_000_000)
        source, _ = Source.objects.get_or_create(name="large", defaults={"kind": "csv"})
        with path.open("rb") as file:
            upload = uploads.receive(
                by=None, source=source, name="large.csv", file=File(file), options={}
            )
        start = time.perf_counter()
        highest, seen = stored(upload.pk, [0.25, 0.6])
        seconds = time.perf_counter() - start
        found = Transaction.objects.filter(upload=upload.pk).count()
        print(f"{rows:,} rows of {path.stat().st_size / 1e6:,.0f} MB, killed twice")
        print(f"stored         {rows / seconds:>10,.0f} rows/s")
        print(f"peak memory    {highest:>10,} MB")
        print(f"lost, doubled  {rows - found:>10,} rows")
        print(f"went back      {any(b < a for a, b in itertools.pairwise(seen))!s:>10}")
        holder.stop()


if __name__ == "__main__":
    main()

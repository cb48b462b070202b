"""Where the time of a file goes: one process, one thread, each function's own share of a row.

    python -m benchmarks.file --profile [--rows 20000]

The block that is read ahead in production is read in its turn here, so that all of it is seen.
Microseconds are of the clock and include the database's answers; the profiler itself makes small
functions look larger than they are.
"""

import cProfile
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHOWN = 24  # functions told for each half


def profiled(path: Path, rows: int) -> None:
    """Store the file and score its rows here; print what each half spent where."""
    from django.core.files import File

    from scoring import reading, uploads
    from scoring.models import Chunk, Source, Upload

    reading.ahead = lambda items: items  # type: ignore[assignment]
    source, _ = Source.objects.get_or_create(name="profile", defaults={"kind": "csv"})
    with path.open("rb") as file:
        uploads.receive(by=None, source=source, name=path.name, file=File(file), options={})
    _half("stored", rows, lambda: _do_all(Upload, "upload"))
    _half("scored", rows, lambda: _do_all(Chunk, "chunk"))


def _do_all(model: Any, name: str) -> None:
    from anomalyshield import leases
    from scoring.tasks import do, work_named

    while found := leases.claim(model, limit=1):
        for row in found:
            do(work_named(name), row)


def _half(title: str, rows: int, work: Callable[[], None]) -> None:
    profile, began = cProfile.Profile(), time.perf_counter()
    processor = time.process_time()
    profile.runcall(work)
    wall, processor = time.perf_counter() - began, time.process_time() - processor
    print(
        f"\n{title}: {1e6 * wall / rows:.1f} µs a row, {1e6 * processor / rows:.1f} of this process"
    )
    print(f"{'own':>7}{'with all':>10}{'calls':>8}  µs and calls a row")
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    own = sorted(stats.items(), key=lambda item: -item[1][2])
    for (file, line, function), (_, calls, spent, whole, _) in own[:SHOWN]:
        where = f"{Path(file).parent.name}/{Path(file).name}:{line} " if line else ""
        told = f"{1e6 * spent / rows:>7.2f}{1e6 * whole / rows:>10.2f}{calls / rows:>8.2f}"
        print(f"{told}  {where}{function}")

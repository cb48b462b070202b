"""Where the time of a file goes: one process, one thread, each function's own share of a row.

    python -m benchmarks.file --profile [--rows 20000]

The block that is read ahead in production is read in its turn here, so that all of it is seen.
Microseconds are of the clock and include the database's answers; the profiler itself makes small
functions look larger than they are, which `--profile plain` leaves out.
"""

import cProfile
import os
import pstats
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHOWN = 24  # functions told for each half
ROOT = Path(__file__).resolve().parent.parent


def profiled(path: Path, rows: int, *, plain: bool = False) -> None:
    """Store the file and score its rows here; print what each half spent where.

    With `plain` only the two halves are told, undisturbed.
    """
    from django.core.files import File

    from scoring import reading, uploads
    from scoring.models import Chunk, Source, Upload

    reading.ahead = lambda items: items  # type: ignore[assignment]
    source, _ = Source.objects.get_or_create(name="profile", defaults={"kind": "csv"})
    with path.open("rb") as file:
        uploads.receive(by=None, source=source, name=path.name, file=File(file), options={})
    _half("stored", rows, lambda: _do_all(Upload, "upload"), plain)
    _half("scored", rows, lambda: _do_all(Chunk, "chunk"), plain)


def _do_all(model: Any, name: str) -> None:
    from anomalyshield import leases
    from scoring.tasks import do, work_named

    while found := leases.claim(model, limit=1):
        for row in found:
            do(work_named(name), row)


def _server() -> float:
    """Seconds of a processor that the session's own server process has had; 0 where not told."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _half(title: str, rows: int, work: Callable[[], None], plain: bool) -> None:
    profile, began = cProfile.Profile(), time.perf_counter()
    processor = time.process_time()
    work() if plain else profile.runcall(work)
    wall, processor = time.perf_counter() - began, time.process_time() - processor
    print(
        f"\n{title}: {1e6 * wall / rows:.1f} µs a row, {1e6 * processor / rows:.1f} of this process"
    )
    if plain:
        return
    print(f"{'own':>7}{'with all':>10}{'calls':>8}  µs and calls a row")
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    own = sorted(stats.items(), key=lambda item: -item[1][2])[:SHOWN]
    ours = [item for item in stats.items() if ROOT in Path(item[0][0]).parents]
    steps = sorted(ours, key=lambda item: -item[1][3])[:SHOWN]
    for place, (key, found) in enumerate([*own, *steps]):
        (file, line, function), (_, calls, spent, whole, _) = key, found
        if place == len(own):
            print("      – and steps of our own, the longest first –")
        where = f"{Path(file).parent.name}/{Path(file).name}:{line} " if line else ""
        told = f"{1e6 * spent / rows:>7.2f}{1e6 * whole / rows:>10.2f}{calls / rows:>8.2f}"
        print(f"{told}  {where}{function}")

"""`python -m benchmarks`: every figure, one after the other, each in a process of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import aims

PARTS = ("engine", "history", "ingest", "file", "consume", "detect", "explain", "queue")


def main() -> int:
    failed = []
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as kept:
        surroundings = {**os.environ, aims.KEPT_IN: kept.name}
        for part in PARTS:
            print(f"\n== {part}", flush=True)
            asked = [sys.executable, "-m", f"benchmarks.{part}"]
            if subprocess.run(asked, env=surroundings).returncode:
                failed.append(part)
        print("\n== reached", *aims.table(Path(kept.name)), sep="\n")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`: every figure, one after the other, each in a process of its own."""

import subprocess
import sys

PARTS = ("engine", "history", "ingest", "file", "detect", "queue")


def main() -> int:
    failed = []
    for part in PARTS:
        print(f"\n== {part}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{part}"]).returncode:
            failed.append(part)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Removes what `make run` and `make test` made: data, logs, environment, caches.

Root's data may lie outside the project (see `anomalyshield/programs.py`); the link says where.
"""

import fcntl
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHES = [".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "htmlcov", ".coverage"]


def main() -> None:
    var = ROOT / "var"
    refuse_while_running(var / "up.lock")
    elsewhere = var / "elsewhere"
    if elsewhere.is_symlink():
        remove(elsewhere.readlink())
    for path in [var, ROOT / ".venv", *(ROOT / name for name in CACHES)]:
        remove(path)
    for path in ROOT.rglob("__pycache__"):
        remove(path)


def refuse_while_running(lock: Path) -> None:
    if not lock.exists():
        return
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("AnomalyShield is running from this folder: stop it with Ctrl-C first.")


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

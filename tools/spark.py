"""Fetches Spark and its connector for Kafka, once per machine: `python tools/spark.py`.

With `--delta` also what writes Delta tables (8 MB).

It goes into the user's cache and not into the environment: it is larger than all other packages
together. pip checks the hashes; its archive is unpacked as it is, because making a wheel of it
takes four times as long. The connector comes by Maven, as the broker of the tests does.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements-spark.txt"
POMS = ROOT / "anomalyshield" / "deploy" / "spark"
VERSION = "4.0.0"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "anomalyshield"
HOME = CACHE / f"spark-{VERSION}"
SECONDS = 600


class Absent(Exception):
    """Why there can be no Spark here, in a sentence."""


def found(*, delta: bool = False) -> tuple[Path, str]:
    """Where Python finds pyspark, and the connector's jars with commas, and Delta's; Absent where
    nobody fetched them."""
    jars = [HOME / "connector", *([HOME / "delta"] if delta else [])]
    if not (HOME / "pyspark").is_dir() or not jars[0].is_dir():
        raise Absent("Spark is not fetched: python tools/spark.py (434 MB)")
    if not jars[-1].is_dir():
        raise Absent("Delta is not fetched: python tools/spark.py --delta (8 MB)")
    if shutil.which("java") is None:
        raise Absent("Spark needs Java 17 or 21, which is not installed here")
    return HOME, ",".join(str(jar) for folder in jars for jar in sorted(folder.glob("*.jar")))


def fetch(*, delta: bool = False) -> tuple[Path, str]:
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise Absent(f"Spark needs {program}, which is not installed here")
    CACHE.mkdir(parents=True, exist_ok=True)
    if not HOME.is_dir():
        aside = Path(tempfile.mkdtemp(prefix="spark-", dir=CACHE))
        try:
            _packages(aside)
            _jars("pom.xml", aside / "connector")
            aside.rename(HOME)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    if delta and not (HOME / "delta").is_dir():
        _jars("delta.xml", HOME / "delta.part")
        (HOME / "delta.part").rename(HOME / "delta")
    return found(delta=delta)


def _packages(aside: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        words = ["download", "-q", "--no-deps", "--require-hashes", "-r", str(LOCK), "-d", folder]
        _run([sys.executable, "-m", "pip", *words], "pip did not fetch Spark")
        [archive], [wheel] = Path(folder).glob("*.tar.gz"), Path(folder).glob("*.whl")
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
        unpacked = Path(folder) / f"pyspark-{VERSION}"
        (unpacked / "pyspark").rename(aside / "pyspark")
        for name in ("bin", "jars"):
            (unpacked / "deps" / name).rename(aside / "pyspark" / name)
        for program in (aside / "pyspark" / "bin").iterdir():
            program.chmod(0o755)
        with zipfile.ZipFile(wheel) as file:
            file.extractall(aside)  # noqa: S202 (pip has checked its hash)


def _jars(pom: str, folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    _run(["mvn", "-q", "-B", "-f", str(POMS / pom), *goal], f"Maven did not fetch Spark's {pom}")


def _run(command: list[str], trouble: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Absent(f"{trouble} in time") from None
    if done.returncode:
        raise Absent(f"{trouble}: {(done.stderr or done.stdout).decode(errors='replace')[-300:]}")


if __name__ == "__main__":
    try:
        place, connector = fetch(delta="--delta" in sys.argv)
    except Absent as reason:
        sys.exit(str(reason))
    print(f"PYTHONPATH={place}\nJARS={connector}")

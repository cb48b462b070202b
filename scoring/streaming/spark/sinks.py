"""Where decisions are written: Parquet, a folder for each batch, or one Delta table.

Either takes the rows of a batch that is done again without doubling any of them.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scoring.streaming.spark.job import Unusable
from scoring.streaming.spark.marks import ANEW, Apart

PARQUET, DELTA = "parquet", "delta"
QUERY = "_query"  # readers of Parquet pass over what begins so
PACKAGE = "io.delta:delta-spark_2.13:4.0.0"
EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
SETTINGS = {
    "spark.sql.extensions": EXTENSION,
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
MISSING = (
    "Spark has no Delta here: python tools/spark.py --delta fetches it, "
    f"spark-submit --packages {PACKAGE} too; or choose --sink parquet."
)


class Sink(Protocol):
    """Takes the decisions of a batch; again the same when the batch is done again."""

    def begin(self) -> None: ...

    def put(self, rows: Any, number: int) -> None: ...


@dataclass(frozen=True)
class Parquet:
    """`decisions/batch=…/`: done again, the folder is written again, whole.

    So its batches are those of one checkpoint: another counts from 0 again.
    """

    folder: Path
    checkpoint: Path

    def begin(self) -> None:
        """Apart where another job's batches lie: ours would be written over them."""
        self.folder.mkdir(exist_ok=True)
        kept, own = self.folder / QUERY, query_of(self.checkpoint)
        if kept.exists() and kept.read_text() != own:
            raise Apart(
                f"{self.folder} holds the decisions of a job that had another checkpoint, over "
                f"which this one would write. Move them to another place, or {ANEW}"
            )
        kept.write_text(own)

    def put(self, rows: Any, number: int) -> None:
        rows.write.mode("overwrite").parquet(str(self._of(number)))

    def drop(self, number: int) -> None:
        """What the batch wrote that was broken off, if done again it writes nothing."""
        shutil.rmtree(self._of(number), ignore_errors=True)

    def _of(self, number: int) -> Path:
        return self.folder / f"batch={number:09d}"


@dataclass(frozen=True)
class Delta:
    """A Delta table. It remembers the last batch of each query and takes none twice."""

    folder: Path
    checkpoint: Path

    def begin(self) -> None:
        """A table tells the batches of checkpoints apart by itself."""

    def put(self, rows: Any, number: int) -> None:
        once = {"txnAppId": query_of(self.checkpoint), "txnVersion": str(number)}
        rows.write.format("delta").mode("append").options(**once).save(str(self.folder))


def query_of(checkpoint: Path) -> str:
    """The checkpoint's own name: a job that begins anew counts its batches from 0 again."""
    return str(json.loads((checkpoint / "metadata").read_text())["id"])


def check(kind: str, jars: str) -> None:
    """Unusable, before a JVM is started, where jars were named and none of them is Delta's."""
    if kind == DELTA and jars and "delta-spark" not in jars:
        raise Unusable(MISSING)


def of(kind: str, folder: Path, checkpoint: Path, spark: Any) -> Sink:
    """The sink of a job in this folder; Unusable where Spark cannot write it."""
    if kind == PARQUET:
        return Parquet(folder / "decisions", checkpoint)
    if kind != DELTA:
        raise Unusable(f"The sink is {kind}; it must be {PARQUET} or {DELTA}.")
    try:
        spark._jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(EXTENSION)
    except Exception:
        raise Unusable(MISSING) from None
    return Delta(folder / "delta", checkpoint)

"""Where decisions are written: Parquet, a folder for each batch, or one Delta table.

Either takes the rows of a batch that is done again without doubling any of them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scoring.streaming.spark.job import Unusable

PARQUET, DELTA = "parquet", "delta"
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

    def put(self, rows: Any, number: int) -> None: ...


@dataclass(frozen=True)
class Parquet:
    """`decisions/batch=…/`: done again, the folder is written again, whole."""

    folder: Path

    def put(self, rows: Any, number: int) -> None:
        rows.write.mode("overwrite").parquet(str(self.folder / f"batch={number:09d}"))


@dataclass(frozen=True)
class Delta:
    """A Delta table. It remembers the last batch of each query and takes none twice."""

    folder: Path
    checkpoint: Path

    def put(self, rows: Any, number: int) -> None:
        once = {"txnAppId": self._query(), "txnVersion": str(number)}
        rows.write.format("delta").mode("append").options(**once).save(str(self.folder))

    def _query(self) -> str:
        """The checkpoint's own name: a job that begins anew counts its batches from 0 again."""
        return str(json.loads((self.checkpoint / "metadata").read_text())["id"])


def check(kind: str, jars: str) -> None:
    """Unusable, before a JVM is started, where jars were named and none of them is Delta's."""
    if kind == DELTA and jars and "delta-spark" not in jars:
        raise Unusable(MISSING)


def of(kind: str, folder: Path, checkpoint: Path, spark: Any) -> Sink:
    """The sink of a job in this folder; Unusable where Spark cannot write it."""
    if kind == PARQUET:
        return Parquet(folder / "decisions")
    if kind != DELTA:
        raise Unusable(f"The sink is {kind}; it must be {PARQUET} or {DELTA}.")
    try:
        spark._jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(EXTENSION)
    except Exception:
        raise Unusable(MISSING) from None
    return Delta(folder / "delta", checkpoint)

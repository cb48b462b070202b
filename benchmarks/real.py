"""Other people's data through our own door: learnt on the past, measured on what followed.

    python -m benchmarks.real FOLDER [--only arena sparkov]

Each file is cut by time. The earlier part comes in with its labels and the day each became known;
the first model makes itself, a training as of the day of the cut follows, and a second person
promotes it. The later part comes in without labels, and what was scored and alerted is held
against the truth. Settings are the product's own, the same for every file.
"""

import argparse
import multiprocessing
import os
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.foreign import FILES, File, read
from benchmarks.stack import installation

MAPPINGS = Path(__file__).resolve().parent.parent / "docs" / "mappings"
EARLIER = 0.7  # of the rows, by time
PER_DAY = 100  # alerts a team reads in a day


def write(frame: pd.DataFrame, path: Path, without: list[str]) -> Path:
    sent = frame.drop(columns=["TRUTH", "EPISODE", *without])
    if path.suffix == ".parquet":
        sent.to_parquet(path, index=False, row_group_size=50_000)
    else:
        sent.to_csv(path, index=False)
    return path


def ingested(path: Path, options: dict[str, Any], source: str, workers: int) -> tuple[Any, float]:
    """The finished upload and the seconds from the file to the last committed decision."""
    from benchmarks.file import ours

    upload, _, seconds = ours(path, workers, source, options)
    return upload, seconds


def trained(until: datetime) -> tuple[str, float]:
    """Trained as of that day and, where something came of it, promoted by two people."""
    from django.core.management import call_command

    from anomalyshield.accounts.people import make_user
    from scoring import promotions
    from scoring.doubts import doubts
    from scoring.models import TrainingRun

    start = time.perf_counter()
    with suppress(SystemExit):
        call_command("train", inline=True, until=until, verbosity=0)
    run = TrainingRun.objects.latest("pk")
    seconds = time.perf_counter() - start
    if run.result is None or doubts(run.result.metrics):
        return run.verdict, seconds
    mona, otto = (make_user(by="command", username=n, roles=["owner"])[0] for n in ("mona", "otto"))
    request = promotions.ask(by=mona, version=run.result, reason="learnt from labels")
    promotions.approve(by=otto, request=request)
    return f"{run.result.kind} model. {run.verdict}", seconds


def scored(upload: Any, file: File) -> pd.DataFrame:
    """Key, time, score and whether it was alerted, of every row of that upload."""
    from scoring.models import Decision

    rows = Decision.objects.filter(transaction__upload=upload).values_list(
        "transaction__external_id",
        "transaction__event_time",
        "risk_score",
        "reviewable",
        "reason_codes",
    )
    found = pd.DataFrame(rows.iterator(20_000), columns=["key", "at", "score", "alerted", "codes"])
    if file.row_ids:  # counted from 1, as a person counts rows
        found["key"] = found["key"].str.rsplit("-", n=1).str[-1].astype(int) - 1
    return found


def measured(later: pd.DataFrame, found: pd.DataFrame, file: File) -> dict[str, Any]:
    """The scored rows against the truth."""
    from scoring.engine import evaluation

    truth = later.assign(key=later.index if file.row_ids else _joined(later[list(file.id)]))
    truth = truth[file.judged(truth)] if file.judged else truth
    both = found.merge(truth[["key", "TRUTH", "EPISODE"]].drop_duplicates("key"), on="key")
    labels, scores = both["TRUTH"].to_numpy(float), both["score"].to_numpy(float)
    alerted = both[both["alerted"]]
    days = alerted.groupby(alerted["at"].dt.date, group_keys=False)
    read_by_team = days.apply(lambda day: day.nlargest(PER_DAY, "score"), include_groups=False)
    episodes = set(both.loc[both["TRUTH"], "EPISODE"])
    caught = set(alerted.loc[alerted["TRUTH"], "EPISODE"]) & episodes
    return {
        "rows": len(both),
        "frauds": int(labels.sum()),
        "ap": evaluation.average_precision(labels, scores),
        "auc": evaluation.roc_auc(labels, scores),
        "days": both["at"].dt.date.nunique(),
        "alerts": len(alerted),
        "precision": float(alerted["TRUTH"].mean()) if len(alerted) else float("nan"),
        "precision at 100 a day": float(read_by_team["TRUTH"].mean()) if len(alerted) else 0.0,
        "recall": float(alerted["TRUTH"].sum() / max(labels.sum(), 1)),
        "episodes": len(episodes),
        "episodes caught": len(caught),
        "wrong": both[both["alerted"] & ~both["TRUTH"]],
    }


def _joined(columns: pd.DataFrame) -> "pd.Series[str]":
    return columns.map(_as_text).agg("-".join, axis=1)


def _as_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def wrong_ones(figures: dict[str, Any], count: int) -> None:
    """A seeded sample of alerts that were no fraud, with what an analyst would have read."""
    from scoring.models import Explanation, Transaction

    wrong = figures.pop("wrong")
    explain_all()
    for row in wrong.sample(min(count, len(wrong)), random_state=1).itertuples():
        paid = Transaction.objects.filter(event_time=row.at, decision__risk_score=row.score).first()
        why = Explanation.objects.filter(decision__transaction=paid).first()
        words = [one["sentence"] for one in (why.sentences if why else [])][:4]
        print(f"    {row.at:%Y-%m-%d %H:%M} {paid.amount if paid else '':>10} {row.score:.3f}")
        print(f"      {' '.join(row.codes)} | {' | '.join(words)}")


def explain_all() -> None:
    """What a worker does in quiet moments."""
    from anomalyshield import leases
    from scoring.models import Explanation
    from scoring.tasks import do, work_named

    while rows := leases.claim(Explanation, limit=50):
        for row in rows:
            do(work_named("explanation"), row)


def one(file: File, folder: Path, workers: int, wrong: int) -> None:
    from scoring.mapping_form import from_yaml

    frame = read(file, folder)
    cut = int(len(frame) * EARLIER)
    earlier, later = frame.iloc[:cut], frame.iloc[cut:].reset_index(drop=True)
    options = from_yaml((MAPPINGS / f"{file.name}.yaml").read_text(encoding="utf-8"))
    labels = {"label_column", "label_known_column", "label_delay_days", "label_values"}
    kept = [options.get("label_column"), options.get("label_known_column")]
    place = Path(os.environ["ANOMALYSHIELD_VAR"])
    suffix = Path(file.path).suffix
    first = write(
        earlier, place / f"earlier{suffix}", [name for name in file.telling if name not in kept]
    )
    second = write(later, place / f"later{suffix}", file.telling)
    upload, seconds = ingested(first, options, file.name, workers)
    print(f"\n== {file.name}: {len(frame):,} rows, {int(frame['TRUTH'].sum()):,} frauds")
    told("earlier", upload, seconds)
    from scoring.models import Transaction

    last = Transaction.objects.filter(upload=upload).latest("event_time").event_time
    verdict, learning = trained(last.astimezone(UTC))
    print(f"  training as of {last:%Y-%m-%d}: {learning:.0f} s. {verdict}")
    bare = {name: value for name, value in options.items() if name not in labels}
    upload, seconds = ingested(second, bare, file.name, workers)
    told("later", upload, seconds)
    figures = measured(later, scored(upload, file), file)
    for name, value in figures.items():
        if name != "wrong":
            print(
                f"  {name:<24}{value:>12,.3f}"
                if isinstance(value, float)
                else f"  {name:<24}{value:>12,}"
            )
    wrong_ones(figures, wrong)


def told(part: str, upload: Any, seconds: float) -> None:
    print(
        f"  {part}: {upload.read:,} read, {upload.accepted:,} new, {upload.repeated:,} repeated, "
        f"{upload.rejected:,} rejected; {seconds:.0f} s, {upload.read / seconds:,.0f} rows/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[file.name for file in FILES])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--wrong", type=int, default=10)
    asked = parser.parse_args()
    for file in FILES:
        if file.name in asked.only:
            process = multiprocessing.get_context("spawn").Process(
                target=alone, args=(file.name, asked.folder.resolve(), asked.workers, asked.wrong)
            )
            process.start()
            process.join()


def alone(name: str, folder: Path, workers: int, wrong: int) -> None:
    """An installation of its own for each file: nobody learns from another's payments."""
    with installation(demo=False):
        Path(os.environ["ANOMALYSHIELD_VAR"]).mkdir(exist_ok=True)
        one(next(file for file in FILES if file.name == name), folder, workers, wrong)
        from anomalyshield import holder

        holder.stop()


if __name__ == "__main__":
    main()

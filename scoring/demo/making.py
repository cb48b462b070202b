"""From the options of `generate_data` and `simulate` to a story, and from a story to files."""

import hashlib
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from scoring.demo import table
from scoring.demo.story import Story
from scoring.demo.typologies import NAMES, REGISTER, typology

LAST_MOMENT = datetime(2026, 6, 30, tzinfo=UTC)  # always the same, so that files are
ENDINGS = (".csv", ".parquet")
LIMITS = {"rows": (100, 2_000_000), "days": (1, 730), "fraud_rate": (0.0, 0.5), "seed": (0, 2**63)}


class Unwanted(ValueError):
    """An option that cannot be; the message is a sentence that names it."""


def add_arguments(parser: ArgumentParser, *, rows: str, default_rows: int, days: int) -> None:
    parser.add_argument(
        f"--{rows}", dest="rows", type=int, default=default_rows, help="how many payments"
    )
    parser.add_argument("--fraud-rate", type=float, default=0.06, help="share of them, 0 to 0.5")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same bytes")
    parser.add_argument("--days", type=int, default=days, help="that they are spread over")
    parser.add_argument("--until", help="the last moment, as 2026-06-30T12:00, or now")
    kinds = ", ".join(NAMES).lower()
    parser.add_argument("--scenario", default="mixed", help=f"mixed, or one of {kinds}")


def story(options: Mapping[str, Any], **more: Any) -> Story:
    """With people and ids of its own: beside the demo's it meddles with nobody's history.

    Raises Unwanted with a sentence that names the option.
    """
    more = {"prefix": f"made-{options['seed']}", "people": f"made{options['seed']}-"} | more
    for name, (least, most) in LIMITS.items():
        if not least <= options[name] <= most:
            option = "count" if name == "rows" and "count" in more else name.replace("_", "-")
            raise Unwanted(f"--{option} is a number from {least:,} to {most:,}.")
    more.pop("count", None)
    until, kinds = moment(options["until"]), kinds_of(options["scenario"])
    try:
        return Story(
            until=until,
            seed=options["seed"],
            rows=options["rows"],
            fraud_share=options["fraud_rate"],
            days=options["days"],
            kinds=kinds,
            **more,
        )
    except ValueError as error:  # of the story itself: its days are too short for a kind
        raise Unwanted(f"{error}.") from error


def moment(text: str | None) -> datetime:
    """Without an offset it is UTC; without anything the fixed one."""
    if text is None:
        return LAST_MOMENT
    if text == "now":
        return datetime.now(UTC).replace(microsecond=0)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise Unwanted("--until is a moment such as 2026-06-30T12:00, or now.") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def kinds_of(scenario: str) -> tuple:
    if scenario == "mixed":
        return REGISTER
    try:
        return (typology(scenario),)
    except KeyError as error:
        raise Unwanted(error.args[0]) from None


def place(out: str, ending: str | None = None) -> Path:
    """Where to write; Unwanted when it is no file of a kind we write, or its folder is missing."""
    path = Path(out)
    if path.suffix not in ((ending,) if ending else ENDINGS):
        raise Unwanted(f"--out ends in {ending or ' or '.join(ENDINGS)}.")
    if not path.parent.is_dir():
        raise Unwanted(f"There is no folder {path.parent}.")
    return path


def truth_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}-truth{path.suffix}")


def write(told: Story, path: Path) -> Iterator[str]:
    """Both files, whole or not at all; a line about each."""
    for rows, where in ((told.table(), path), (told.truth(), truth_of(path))):
        yield f"{digest_of(_written(rows, where))}  {where} ({rows.num_rows:,} rows)"


def _written(rows: pa.Table, path: Path) -> Path:
    aside = path.with_name(f".{path.name}.part{path.suffix}")
    table.write(rows, aside)
    return aside.rename(path)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""What the platform hands over: how records are read, and what decides them."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from scoring.engine import bundle, cards, exchange, gazetteer, schema, veil
from scoring.engine.decision import Policy
from scoring.engine.gate import Gate
from scoring.engine.history import Rows
from scoring.engine.lists import Entry, Lists
from scoring.engine.scorer import Scorer
from scoring.engine.transaction import Defaults

FORMAT = 1
OUTLIVED = 3600  # seconds after which nobody still loads a version that another has followed
CURRENT, JOB, KEYS, FRAUDS, BUNDLE, PAST, IDS = (
    "current",
    "job.json",
    "keys.json",
    "frauds",
    "bundle",
    "past",
    "ids",  # in it: which transactions are known already
)


AGAIN = "Remove this version's folder, and hand over again: manage.py spark --hand-over."


class Unusable(ValueError):
    """The folder does not hold what was handed over; the text says what is wrong."""


@dataclass(frozen=True)
class Job:
    """All that executors need; broadcast to them once, and again when something changed."""

    version: str  # of what was handed over
    told: Mapping[str, Any]  # job.json
    keys: Mapping[str, str]
    bundle: bundle.Bundle | None
    frauds: Rows

    def gate(self, received_at: datetime) -> Gate:
        """The consumer's own, for records received at this moment."""
        source = self.told["source"]
        defaults = Defaults(
            source["currency"],
            source["base_currency"],
            source["timezone"],
            received_at,
            ahead=timedelta(seconds=source["ahead"]),
            clamp=source["clamp"],
            behind=None if source["behind"] is None else timedelta(seconds=source["behind"]),
            rate=self._rates.rate,
            place=gazetteer.find if source.get("places") else None,
        )
        check = schema.check_of(source["schema"])
        return Gate(defaults, source["mapping"], check, self.cleaned, self._veil)

    def cleaned(self, record: Mapping[str, Any], _: Mapping[str, str]) -> Mapping[str, Any]:
        return cards.without_cards(record, self._token, self._ids)

    def cleaned_text(self, text: str) -> str:
        return cards.hidden(text, self._token)

    @property
    def tells_records(self) -> bool:
        """Whether a refused record may be kept as it came: not where it may be personal."""
        return not self.told["source"]["personal"]

    @cached_property
    def _token(self) -> Any:
        return partial(cards.token_of, key=bytes.fromhex(self.keys["cards"]))

    @cached_property
    def _veil(self) -> Any:
        names = self.told["source"].get("veiled")
        key = bytes.fromhex(self.keys.get("people", ""))
        return partial(veil.veiled, names=names, key=key) if names else None

    @cached_property
    def _ids(self) -> frozenset[str]:
        return frozenset(self.told["source"]["ids"])

    @cached_property
    def _rates(self) -> exchange.Table:
        return exchange.table_of(
            (currency, date.fromisoformat(day), Decimal(rate))
            for currency, day, rate in self.told.get("rates", ())
        )

    @cached_property
    def scorer(self) -> Scorer:
        lists = Lists(Entry(*entry) for entry in self.told["lists"])
        return Scorer(self.bundle, Policy.from_dict(self.told["policy"]["values"]), lists)

    @property
    def model(self) -> int | None:
        return self.told["model"] and int(self.told["model"]["number"])

    @property
    def policy(self) -> int:
        return int(self.told["policy"]["number"])


def current(folder: Path) -> str:
    """Which version was handed over last."""
    try:
        return (folder / CURRENT).read_text().strip()
    except OSError:
        raise Unusable(f"{folder} holds no job: manage.py spark --hand-over writes one.") from None


def write(
    folder: Path,
    told: Mapping[str, Any],
    keys: Mapping[str, Any],
    frauds: Rows,
    bundle_at: Path | None,
) -> str:
    """Hand this over; its version. A running job goes over to it with its next batch."""
    digest = hashlib.sha256(frauds.tobytes()).hexdigest()
    text = json.dumps({**told, "format": FORMAT, "frauds": digest}, sort_keys=True, indent=1)
    version = hashlib.sha256(text.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _private(folder / KEYS, json.dumps(keys))
    at = folder / "jobs" / version
    try:
        os.utime(at)  # as young as it is wanted: nobody clears it away now
    except FileNotFoundError:
        aside = at.with_suffix(f".{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)  # of one that died as the same number
        aside.mkdir(parents=True)
        (aside / JOB).write_text(text)
        np.save(aside / f"{FRAUDS}.npy", frauds, allow_pickle=False)
        if bundle_at is not None:
            shutil.copytree(bundle_at, aside / BUNDLE)
        aside.rename(at)
    _private(folder / CURRENT, version)
    _clear(at)
    return version


def _clear(kept: Path) -> None:
    """Forget versions that others have followed: each holds a model, and labels come all day."""
    for one in kept.parent.iterdir():
        if one != kept and time.time() - one.stat().st_mtime > OUTLIVED:
            shutil.rmtree(one, ignore_errors=True)


def _private(path: Path, content: str) -> None:
    """Readable by its owner alone, and there whole or as it was."""
    aside = path.with_suffix(f".{os.getpid()}")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    aside.replace(path)


def load(folder: Path) -> Job:
    """The job as it was handed over last; its model is verified like everywhere."""
    version = current(folder)
    at = folder / "jobs" / version
    try:
        text = (at / JOB).read_bytes()
        told, keys = json.loads(text), json.loads((folder / KEYS).read_bytes())
        frauds = np.load(at / f"{FRAUDS}.npy", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Unusable(f"{at} cannot be read: {error}.") from None
    if told.get("format") != FORMAT or hashlib.sha256(text).hexdigest()[:16] != version:
        raise Unusable(f"{at} is not what was handed over, or of another release.")
    return Job(version, told, keys, _bundle(at, told["model"], keys), frauds)


def _bundle(at: Path, model: Mapping[str, Any] | None, keys: Mapping[str, str]) -> Any:
    if model is None:
        return None
    try:
        return bundle.load(at / BUNDLE, key=bytes.fromhex(keys["bundle"]), sha256=model["sha256"])
    except bundle.Refused as reason:
        raise Unusable(f"The model in {at / BUNDLE} does not load: {reason} {AGAIN}") from None

"""A model on disk: arrays and a signed manifest, never code. Anything else is refused in words."""

import hashlib
import hmac
import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.engine import features
from scoring.engine.calibration import Affine, RiskMap
from scoring.engine.detectors import kind
from scoring.engine.detectors.trees import Malformed
from scoring.engine.ensemble import Ensemble, Lane, Member
from scoring.engine.preparation import Preparation

FORMAT = 1
PREPARED = 2  # the format of a bundle whose vectors are prepared before they are scored
LANED = 3  # of one with a novelty lane: a release that knew none would raise less than promised
PREPARATION = "preparation.npz"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.hmac"
MOST_BYTES = 256 * 2**20  # of one file; a forest has a few


class Refused(Exception):
    """This is not a model we may use; its text says why, for people."""


@dataclass(frozen=True)
class Bundle:
    """What was learnt, and the manifest that says from what, with what, and how good it is."""

    manifest: dict[str, Any]
    ensemble: Ensemble

    @property
    def kind(self) -> str:
        """`cold` (no labels) or `warm`."""
        return str(self.manifest["kind"])

    @property
    def metrics(self) -> dict[str, float]:
        return dict(self.manifest["metrics"])


def format_of(ensemble: Ensemble) -> int:
    """The oldest format that says all there is to say of it."""
    if ensemble.lane is not None:
        return LANED
    return FORMAT if ensemble.preparation is None else PREPARED


def save(bundle: Bundle, folder: Path, *, key: bytes) -> str:
    """Write the bundle; the SHA-256 of its manifest. The folder is there whole or not at all."""
    if folder.exists():
        raise Refused(f"There is already a model in {folder.name}; versions are never overwritten.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        files = {}
        for name, arrays in _contents(bundle.ensemble).items():
            np.savez_compressed(aside / name, **arrays)  # type: ignore[arg-type]
            files[name] = _sha256((aside / name).read_bytes())
        manifest = json.dumps(
            {**bundle.manifest, "ensemble": _described(bundle.ensemble), "files": files},
            indent=1,
            sort_keys=True,
            allow_nan=False,
        ).encode()
        (aside / MANIFEST).write_bytes(manifest)
        (aside / SIGNATURE).write_text(_signature(manifest, key))
        _settle(aside)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return _sha256(manifest)


def _contents(ensemble: Ensemble) -> dict[str, dict[str, NDArray[np.generic]]]:
    """The arrays of each file of a bundle."""
    files = {f"{member.name}.npz": member.detector.arrays() for member in ensemble.members}
    if ensemble.preparation is not None:
        files[PREPARATION] = ensemble.preparation.arrays()
    return files


def load(folder: Path, *, key: bytes, sha256: str) -> Bundle:
    """The bundle that was saved with this key under this hash, or Refused. Nothing is executed."""
    text = _read(folder, MANIFEST)
    signature = _read(folder, SIGNATURE).decode("ascii", "replace").strip()
    if not hmac.compare_digest(_signature(text, key), signature):
        raise Refused("The manifest is not signed by this installation, or was changed since.")
    if not hmac.compare_digest(_sha256(text), sha256):
        raise Refused("The manifest is not the one that was registered for this version.")
    manifest = _manifest(text)
    try:
        return Bundle(manifest, _ensemble(folder, manifest))
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"The manifest does not describe a model: {error}.") from error


def _read(folder: Path, name: str) -> bytes:
    """A regular file of this very folder. A link could lead to a file somebody else controls."""
    path = folder / name
    if folder.is_symlink() or path.is_symlink():
        raise Refused(f"{name} is reached through a symbolic link.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(f"{name} is larger than any model this product writes.")
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{name} cannot be read: {error.strerror or error}.") from error


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise Refused("The manifest is not JSON.") from error
    if not isinstance(manifest, dict) or manifest.get("format") not in (FORMAT, PREPARED, LANED):
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise Refused(f"Its format is {found}; this release reads format {FORMAT} to {LANED}.")
    if manifest.get("spec") not in features.widths():
        raise Refused(
            f"It was trained on the features {manifest.get('spec')}; "
            f"this release computes {features.spec_id()}. Train a new version."
        )
    return manifest


def _ensemble(folder: Path, manifest: dict[str, Any]) -> Ensemble:
    described = manifest["ensemble"]
    width = features.widths()[manifest["spec"]]
    prepared = None
    if manifest["format"] == PREPARED or PREPARATION in manifest["files"]:
        content = _held(folder, manifest["files"], PREPARATION)
        prepared = Preparation.restore(_arrays(PREPARATION, content), width)
        width += len(prepared.noted)
    members = tuple(
        _member(folder, manifest["files"], entry, width) for entry in described["members"]
    )
    if not members:
        raise ValueError("it has no members")
    risk, warm = _risk(described["risk"]), bool(described["warm"])
    return Ensemble(members, risk, warm, prepared, _lane(members, described.get("lane")))


def _lane(members: tuple[Member, ...], described: dict[str, Any] | None) -> Lane | None:
    """None where there is none: a bundle of an earlier release decides as it did."""
    if described is None:
        return None
    member = next((one for one in members if one.name == described["member"]), None)
    if member is None:
        raise ValueError("nobody looks after its novelty lane")
    return Lane(member, float(described["share"]), _risk(described["risk"]))


def _held(folder: Path, files: dict[str, str], file: str) -> bytes:
    content = _read(folder, file)
    if _sha256(content) != files[file]:
        raise Refused(f"{file} was changed after it was saved.")
    return content


def _member(folder: Path, files: dict[str, str], entry: dict[str, Any], width: int) -> Member:
    name = str(entry["name"])
    try:
        restore = kind(name).restore
    except KeyError:
        raise Refused(f"It has a member “{name}”, which this release does not know.") from None
    file = f"{name}.npz"
    content = _held(folder, files, file)
    try:
        detector = restore(_arrays(file, content), width)
    except Malformed as error:
        raise Refused(f"{file} is not a member of this kind: {error}.") from error
    to_odds = Affine(float(entry["slope"]), float(entry["intercept"]))
    return Member(name, detector, float(entry["weight"]), to_odds, _risk(entry["risk"]))


def _arrays(file: str, content: bytes) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise Refused(
            f"{file} holds a pickle or is not an array file; neither is opened."
        ) from error


def _risk(described: dict[str, Any]) -> RiskMap:
    knots, shares = ([float(number) for number in described[name]] for name in ("knots", "shares"))
    if int(described["version"]) != 1 or not knots[0] < knots[1] < knots[2] or len(shares) != 3:
        raise ValueError("its risk map is unknown or does not rise")
    return RiskMap((knots[0], knots[1], knots[2]), (shares[0], shares[1], shares[2]))


def _described(ensemble: Ensemble) -> dict[str, Any]:
    lane = ensemble.lane
    aside = lane and {"member": lane.member.name, "share": lane.share, "risk": asdict(lane.risk)}
    return {
        **({"lane": aside} if aside else {}),
        "warm": ensemble.warm,
        "risk": asdict(ensemble.risk),
        "members": [
            {
                "name": member.name,
                "weight": member.weight,
                "slope": member.to_odds.slope,
                "intercept": member.to_odds.intercept,
                "risk": asdict(member.risk),
            }
            for member in ensemble.members
        ],
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _signature(manifest: bytes, key: bytes) -> str:
    return hmac.new(key, manifest, hashlib.sha256).hexdigest()


def _settle(folder: Path) -> None:
    """Bring every file to the disk, so that a rename never shows half a model after a power cut."""
    for path in [*folder.iterdir(), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    folder.chmod(0o750)

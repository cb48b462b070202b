"""The languages of the pages: English in the code, others in `locale/<code>/LC_MESSAGES/django.po`.

The compiled form is no part of the project: the first process that needs it makes it, in a folder
named after the content, so that an edited catalogue is a new folder and nobody reads half a file.
"""

import hashlib
import tempfile
from pathlib import Path

SOURCE = "LC_MESSAGES/django.po"


def prepared(source: Path, place: Path) -> str:
    """A folder with every catalogue of `source` compiled, below `place` where it can be written."""
    catalogues = sorted(source.glob(f"*/{SOURCE}"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in catalogues)).hexdigest()[:12]
    try:
        return str(_compiled(catalogues, place / digest))
    except OSError:  # data that only other processes may write
        return str(_compiled(catalogues, Path(tempfile.gettempdir()) / f"anomalyshield-{digest}"))


def _compiled(catalogues: list[Path], folder: Path) -> Path:
    if folder.is_dir():
        return folder
    import polib  # only the first process after a change waits for it

    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        for path in catalogues:
            target = Path(fresh, "made", path.parts[-3], "LC_MESSAGES", "django.mo")
            target.parent.mkdir(parents=True)
            polib.pofile(str(path)).save_as_mofile(str(target))
        try:
            Path(fresh, "made").rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same content
                raise
    return folder

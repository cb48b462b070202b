"""Draws the secrets of a container installation once; a second run changes nothing.

    python tools/draw_secrets.py FOLDER HOST:PORT

The files are what `SECRET_KEY_FILE`, `DATABASE_URL_FILE` and PostgreSQL's own
`POSTGRES_PASSWORD_FILE` point to.
"""

import secrets
import sys
from pathlib import Path


def main(folder: Path, server: str) -> None:
    password = draw(folder / "postgres_password", secrets.token_urlsafe(32))
    draw(folder / "secret_key", secrets.token_urlsafe(50))
    draw(folder / "database_url", f"postgresql://postgres:{password}@{server}/anomaly_detection")


def draw(path: Path, value: str) -> str:
    """The secret in the file, which gets `value` if there is none yet."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(value, encoding="utf-8")
        fresh.replace(path)
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

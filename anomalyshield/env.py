"""Reads every setting from the environment, typed, and remembers which keys exist.

`.env.example` and the settings table of the operator's manual are tested against `KEYS`, so a key
that nobody documented fails a test. A key `NAME` may also come from a file named by `NAME_FILE`
(the way container secrets arrive).
"""

import os
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

KEYS: dict[str, "Key"] = {}
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


@dataclass(frozen=True)
class Key:
    """One environment variable: its name, what it is for, and the value used without it."""

    name: str
    help: str
    default: str


class BadSetting(Exception):
    """A value in the environment that cannot be read as what it should be."""


def load_dotenv(path: Path) -> None:
    """Fill the environment from a `.env` file; what is already set wins."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def text(name: str, help: str, default: str = "") -> str:
    """The value of `NAME`, else the content of the file `NAME_FILE`, else the default."""
    KEYS[name] = Key(name, help, default)
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    return default


def flag(name: str, help: str, default: bool = False) -> bool:
    value = text(name, help, "1" if default else "0").strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise BadSetting(f"{name}={value!r} is neither yes nor no; use 1 or 0.")


def number(name: str, help: str, default: int, *, least: int = 0) -> int:
    value = text(name, help, str(default))
    try:
        result = int(value)
    except ValueError:
        raise BadSetting(f"{name}={value!r} is not a whole number.") from None
    if result < least:
        raise BadSetting(f"{name}={result} is below the least sensible value {least}.")
    return result


def words(name: str, help: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, help, default).split(",") if word.strip()]


def networks(name: str, help: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(word) for word in words(name, help)]
    except ValueError as error:
        raise BadSetting(f"{name}: {error}. Use networks like 10.1.0.0/16.") from None

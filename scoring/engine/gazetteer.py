"""Where a place lies that was stated in words, by a table of ours and without a network.

A wrong position would have features see journeys that nobody made. So what could be two places, or
is in no table, is nowhere; a country alone has no position.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("places.tsv")
LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th"}
)
SILENT = str.maketrans("", "", ".'’`´")
PARTS = re.compile(r"[,;/|()]")
WORDS = re.compile(r"[^\W_]+")
MOST = 100  # characters: longer texts are no names of places


class Place(NamedTuple):
    """A country's two letters and a position, as far as they are known."""

    country: str = ""
    latitude: float | None = None
    longitude: float | None = None


class City(NamedTuple):
    """A city of the table; `state` is that of the USA. A name that is not its own needs more."""

    country: str
    state: str
    at: Place
    own: bool


class Table(NamedTuple):
    """Everything by its folded name; `short` are codes that are a state's, too."""

    cities: dict[str, list[City]]
    countries: dict[str, str]
    states: dict[str, str]
    shared: frozenset[str]


NOWHERE = Place()


@lru_cache(maxsize=65_536)
def find(text: str, country: str = "") -> Place:
    """The place of that name, in that country if one is stated; NOWHERE if it could be another."""
    if len(text) > MOST:
        return NOWHERE
    parts = [part for piece in PARTS.split(text) if (part := folded(piece))]
    found = _city(parts, country) or _split(parts, country)
    if found is None:
        found = Place(_country(parts, text))
    return found if not country or found.country == country else NOWHERE


def folded(text: str) -> str:
    """Without accents, case, points and numbers: "São Paulo", "01000 SAO PAULO" are one."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(LETTERS).translate(SILENT))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(word for word in WORDS.findall(kept) if not any(map(str.isdigit, word)))


def _city(parts: list[str], country: str) -> Place | None:
    """The one city that fits all that is said of it."""
    if not parts:
        return None
    head, *rest = parts
    fits = [city for city in table().cities.get(head, ()) if city.own or rest or country]
    if rest and not _known(rest[-1]):
        return None
    for word in rest:
        if _known(word):
            fits = [city for city in fits if _lies_in(city, word)]
    if country:
        fits = [city for city in fits if city.country == country]
    return fits[0].at if len(fits) == 1 else None


def _split(parts: list[str], country: str) -> Place | None:
    """ "oslo no", "new york ny": the last word may say where the city is."""
    if len(parts) != 1:
        return None
    head, _, last = parts[0].rpartition(" ")
    return _city([head, last], country) if head else None


def _known(word: str) -> bool:
    return word in table().countries or word in table().states


def _lies_in(city: City, word: str) -> bool:
    known = table()
    state = bool(city.state) and known.states.get(word) == city.state
    return state or known.countries.get(word) == city.country


def _country(parts: list[str], text: str) -> str:
    """The country that is named last, if the words can mean nothing else."""
    if not parts or parts[-1] in table().shared:
        return ""
    last = parts[-1]
    if len(parts) == 1 and len(last) < 4 and not text.strip().isupper():
        return ""  # "is", "and", "per" are words before they are codes
    if last in table().states:
        return "US" if len(parts) > 1 else ""
    return table().countries.get(last, "")


@cache
def table() -> Table:
    """The table, read once by whoever asks first."""
    cities: dict[str, list[City]] = defaultdict(list)
    countries: dict[str, str] = {}
    states: dict[str, str] = {}
    for where, *columns in _rows():
        country, _, state = where.partition("-")
        if len(columns) == 3:
            for name, city in _named(country, state, *columns):
                cities[name].append(city)
        elif state:
            states |= {folded(state): state, folded(columns[0]): state}
        else:
            names = [where, columns[0], *columns[1].split("|")]
            countries |= {folded(name): country for name in names}
    return Table(dict(cities), countries, states, frozenset(states.keys() & countries.keys()))


def countries() -> dict[str, str]:
    """The name of each country by its two letters, in English."""
    rows = (row for row in _rows() if len(row) == 3)
    return {code: names.partition("|")[0] for code, _, names in rows}


def _named(
    country: str, state: str, names: str, latitude: str, longitude: str
) -> Iterator[tuple[str, City]]:
    at = Place(country, float(latitude), float(longitude))
    own = {folded(name): not name.startswith("~") for name in names.split("|")}
    for name, alone in own.items():
        yield name, City(country, state, at, alone)


def _rows() -> Iterator[list[str]]:
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")

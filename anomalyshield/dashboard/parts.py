"""What the first page is made of: figures with links, short lists, small tables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.templatetags.words import ago_shown
from anomalyshield.templatetags.words import upto as counted
from anomalyshield.together import HowMany

LINES = 6  # of one list
MANY = 1000  # counted no further
RECENT = 20_000  # of the latest rows: what is looked at where no index would find an hour


@dataclass(frozen=True)
class Tile:
    """One figure with its link."""

    label: str
    figure: str
    hint: str = ""
    address: str = ""
    tone: str = ""  # "bad" or "warn" when someone should look


@dataclass(frozen=True)
class Line:
    """One entry of a list: what, where it leads, what to know about it."""

    title: str
    address: str
    words: str = ""
    aside: str = ""
    level: str = ""
    tone: str = ""  # "bad", "warn" or "good" for the aside


@dataclass(frozen=True)
class Row:
    """One row of a small table; `share` (0..1) is drawn beside it."""

    title: str
    cells: tuple[str, ...]
    address: str = ""
    share: float | None = None

    @property
    def percent(self) -> str:
        """Of the drawing's width."""
        return f"{100 * (self.share or 0):.1f}"


@dataclass(frozen=True)
class Panel:
    """A short list or table under a heading; `empty` says what it means that there is nothing.

    Without such words a panel with nothing in it is left out.
    """

    title: str
    empty: str
    lines: list[Line] = field(default_factory=list)
    address: str = ""
    heads: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    note: str = ""

    @property
    def shown(self) -> bool:
        return bool(self.lines or self.rows or self.empty)


@dataclass(frozen=True)
class Board:
    """What one role looks at."""

    title: str
    tiles: list[Tile]
    panels: list[Panel]

    @property
    def columns(self) -> list[list[Panel]]:
        """Left and right, in turn: as high as they are, with no holes between them."""
        return [self.panels[::2], self.panels[1::2]]


Maker = Callable[[User], Any]  # of a tile or a panel, or of a part that comes to one


def model(name: str) -> Any:
    """The ground floor imports no room; it asks their models by name."""
    return apps.get_model(name)


def some(rows: QuerySet[Any]) -> HowMany:
    """Exact up to a thousand: nobody needs more, and counting a million rows takes a second."""
    return HowMany(rows.order_by()[: MANY + 1])


def upto(found: int) -> str:
    return counted(min(found, MANY)) + ("+" if found > MANY else "")


def warned(when: bool) -> str:
    return "warn" if when else ""


def elapsed(moment: datetime | None) -> str:
    """3 h ago, as an element that says when."""
    return format_html(_("{at} ago"), at=ago_shown(moment)) if moment else "–"

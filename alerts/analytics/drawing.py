"""Drawings of these pages as SVG made on the server: they print, need no script and no network.

Heights and colours come from classes in `css/analytics.css`; every drawing has its table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alerts.analytics.places import COUNTRIES

WIDTH, HEIGHT = 720, 150
NAMED, LETTER, TALL = 12, 2.2, 4  # of a map: names, and how wide and tall their letters are
# Above, below, left, right, and the corners.
SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, 1), (1, 1), (-1, -1), (1, -1))

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Step:
    """One step of time: its height, what is said of it, and whether it may still turn."""

    label: str
    value: float | None
    said: str
    young: bool = False


def steps(found: Sequence[Step], label: str, line: Sequence[float | None] = ()) -> SafeString:
    """Columns side by side, those that may still turn paler and dashed; `line` lies above them."""
    known = [one.value for one in found if one.value is not None]
    most = max([*known, *(v for v in line if v is not None)], default=0)
    if not found or not most:
        return SafeString("")
    wide = WIDTH / len(found)
    tallest = max(found, key=lambda one: one.value or 0.0)
    columns = format_html_join(
        "",
        '<g><title>{}</title><rect class="room" x="{}" y="0" width="{}" height="{}"/>'
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/></g>',
        (
            (
                one.said,
                _n(place * wide),
                _n(wide),
                HEIGHT,
                "young" if one.young else "column",
                _n(place * wide + wide * 0.1),
                _n(HEIGHT - _tall(one.value, most)),
                _n(wide * 0.8),
                _n(_tall(one.value, most)),
            )
            for place, one in enumerate(found)
        ),
    )
    return format_html(
        '<div class="chart-top">{}</div>'
        '<svg class="chart-steps" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}{}</svg><div class="chart-ends"><span>{}</span><span>{}</span></div>',
        _("highest: {said}").format(said=tallest.said),
        WIDTH,
        HEIGHT,
        label,
        columns,
        _line(line, most, wide),
        found[0].label,
        found[-1].label,
    )


def _line(values: Sequence[float | None], most: float, wide: float) -> SafeString:
    """One stroke for each run of known values."""
    runs: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{_n((place + 0.5) * wide)},{_n(HEIGHT - _tall(value, most))}")
    return format_html_join(
        "", '<polyline class="over" points="{}"/>', ((" ".join(run),) for run in runs if run)
    )


def _tall(value: float | None, most: float) -> float:
    return (HEIGHT - 6) * max(value or 0.0, 0.0) / most


@dataclass(frozen=True)
class Spot:
    """A place on the map: where, how much, and what is said of it."""

    latitude: float
    longitude: float
    weight: float
    said: str
    name: str = ""
    hot: bool = False


def world(spots: Sequence[Spot], label: str) -> SafeString:
    """Circles on a grid of latitude and longitude (plate carrée), areas as the weights.

    No borders are drawn, since none are at hand without a network: small dots stand where the
    countries are, so that one sees what is where.
    """
    dots = format_html_join(
        "",
        '<circle class="land" cx="{}" cy="{}" r="1.1"/>',
        ((_x(lon), _y(lat)) for lat, lon in COUNTRIES.values()),
    )
    drawn = sorted((s for s in spots if s.weight > 0), key=lambda spot: -spot.weight)
    most = drawn[0].weight if drawn else 0.0
    circles = format_html_join(
        "",
        '<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
        (
            (
                "spot hot" if spot.hot else "spot",
                _x(spot.longitude),
                _y(spot.latitude),
                _n(_radius(spot, most)),
                spot.said,
            )
            for spot in drawn
        ),
    )
    names = format_html_join(
        "",
        '<text x="{}" y="{}">{}</text>',
        ((_n(x), _n(y), name) for x, y, name in _named(drawn, most)),
    )
    return format_html(
        '<svg class="chart-world" viewBox="0 0 360 150" role="img" aria-label="{}">{}{}{}{}</svg>',
        label,
        _grid(),
        dots,
        circles,
        names,
    )


def _radius(spot: Spot, most: float) -> float:
    return 1.2 + 8 * (spot.weight / most) ** 0.5


def _named(drawn: Sequence[Spot], most: float) -> list[tuple[float, float, str]]:
    """Names beside their circles, on the first side where nothing else stands yet.

    The largest choose first. For whom no side is left, the circle and the table say it.
    """
    taken = [_around(spot, most) for spot in drawn]
    found = []
    for spot in drawn[:NAMED]:
        x, y, far = float(_x(spot.longitude)), float(_y(spot.latitude)), _radius(spot, most)
        half = LETTER * len(spot.name) / 2
        for side, rise in SIDES:
            at_x = x + side * (far + half + 1) if not rise else x + side * (0.7 * far + half)
            at_y = y + TALL / 3 + rise * (far + 1 + TALL / 2) * (0.8 if side else 1)
            box = (at_x - half, at_y - TALL, at_x + half, at_y)
            if spot.name and box[0] > 0 and box[2] < 360 and not any(_meet(box, b) for b in taken):
                taken.append(box)
                found.append((at_x, at_y, spot.name))
                break
    return found


def _around(spot: Spot, most: float) -> Box:
    """What a name should leave free of a circle; its rim may be touched."""
    x, y, far = float(_x(spot.longitude)), float(_y(spot.latitude)), 0.7 * _radius(spot, most)
    return x - far, y - far, x + far, y + far


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _grid() -> SafeString:
    """Every thirty degrees; the equator and Greenwich stronger."""
    lines = [
        ("0" if lon else "1", _x(lon), _x(lon), "0", "150") for lon in range(-150, 180, 30)
    ] + [("0" if lat else "1", "0", "360", _y(lat), _y(lat)) for lat in range(-30, 90, 30)]
    return format_html_join(
        "",
        '<line class="grid-{}" x1="{}" x2="{}" y1="{}" y2="{}"/>',
        lines,
    )


def _x(longitude: float) -> str:
    return _n(longitude + 180)


def _y(latitude: float) -> str:
    """From 84° north to 66° south: nobody pays beyond."""
    return _n(84 - min(max(latitude, -66.0), 84.0))


def shades(values: Sequence[Sequence[float | None]]) -> list[list[int]]:
    """0 to 9 of each value, by its share of the largest; what is not known is 0."""
    most = max((v for row in values for v in row if v is not None and isfinite(v)), default=0)
    return [[round(9 * (v or 0) / most) if most else 0 for v in row] for row in values]


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")

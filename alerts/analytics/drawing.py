"""Drawings of these pages as SVG made on the server: they print, need no script and no network.

Heights and colours come from classes in `css/analytics.css`; every drawing has its table beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alerts.analytics.places import COUNTRIES

WIDTH, HEIGHT = 720, 150


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
        tallest.said,
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
    most = max((spot.weight for spot in spots), default=0)
    dots = format_html_join(
        "",
        '<circle class="land" cx="{}" cy="{}" r="1.1"/>',
        ((_x(lon), _y(lat)) for lat, lon in COUNTRIES.values()),
    )
    drawn = sorted((s for s in spots if s.weight > 0), key=lambda spot: -spot.weight)
    circles = format_html_join(
        "",
        '<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>',
        (
            (
                "spot hot" if spot.hot else "spot",
                _x(spot.longitude),
                _y(spot.latitude),
                _n(1.2 + 8 * (spot.weight / most) ** 0.5),
                spot.said,
            )
            for spot in drawn
        ),
    )
    names = format_html_join(
        "",
        '<text x="{}" y="{}">{}</text>',
        ((_x(s.longitude), _n(float(_y(s.latitude)) - 3), s.name) for s in drawn[:12] if s.name),
    )
    return format_html(
        '<svg class="chart-world" viewBox="0 0 360 150" role="img" aria-label="{}">{}{}{}{}</svg>',
        label,
        _grid(),
        dots,
        circles,
        names,
    )


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

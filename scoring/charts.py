"""Small charts drawn on the server as SVG: no script, no inline style, colours by class name.

Each says in its label what it shows; the page that uses one has the same numbers as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import figure


@dataclass(frozen=True)
class Point:
    """One amount at one moment; the marked one is what the page is about."""

    at: datetime
    amount: float
    label: str
    marked: bool = False


def bar(value: float, largest: float) -> SafeString:
    """A contribution as a bar from the middle: to the right towards fraud, to the left away."""
    share = min(abs(value) / largest, 1.0) * 50 if largest and isfinite(value) else 0.0
    return format_html(
        '<svg class="chart-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="{}" x="{}" y="1" width="{}" height="8"/>'
        '<line class="axis" x1="50" x2="50" y1="0" y2="10"/></svg>',
        "toward" if value > 0 else "away",
        _n(50 if value > 0 else 50 - share),
        _n(share),
    )


def share_bar(value: float, largest: float) -> SafeString:
    """A size beside others, from the left."""
    share = min(max(value, 0.0) / largest, 1.0) * 100 if largest and isfinite(value) else 0.0
    return format_html(
        '<svg class="chart-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="size" x="0" y="1" width="{}" height="8"/></svg>',
        _n(share),
    )


def spark(counts: Sequence[int], label: str, *, width: int = 66, height: int = 20) -> SafeString:
    """Counts as a small line; heights are shares of the largest: its shape is what speaks."""
    most = max(counts, default=0) or 1
    step = width / max(len(counts) - 1, 1)
    points = " ".join(
        f"{_n(place * step)},{_n(height - 2 - (height - 4) * count / most)}"
        for place, count in enumerate(counts)
    )
    return format_html(
        '<svg class="chart-spark" viewBox="0 0 {} {}" width="{}" height="{}" role="img" '
        'aria-label="{}"><title>{}</title><polyline points="{}"/></svg>',
        width,
        height,
        width,
        height,
        label,
        label,
        points,
    )


def scale(score: float, low: float, high: float, critical: float) -> SafeString:
    """A score on the scale of its policy: four bands and a needle."""
    cuts = [0.0, low, high, critical, 1.0]
    bands = format_html_join(
        "",
        '<rect class="band level-{}" x="{}" y="4" width="{}" height="8"/>',
        (
            (level, _n(start * 100), _n(max(end - start, 0) * 100))
            for level, start, end in zip(
                ("LOW", "MEDIUM", "HIGH", "CRITICAL"), cuts, cuts[1:], strict=False
            )
        ),
    )
    needle = min(max(score, 0.0), 1.0) * 100 if isfinite(score) else -10
    return format_html(
        '<svg class="chart-scale" viewBox="0 0 100 16" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}'
        '<rect class="needle" x="{}" y="0" width="1" height="16"/></svg>',
        _("Risk score {score} of 1").format(score=figure(f"{score:.2f}")),
        bands,
        _n(min(needle, 99)),
    )


def columns(
    counts: Sequence[tuple[str, int, int]], label: str, *, width: int = 360, height: int = 96
) -> SafeString:
    """Counts side by side, the part for review in front; heights are square roots, so that a few
    beside thousands stay visible."""
    most = max((rows for _, rows, _ in counts), default=0)
    if not most:
        return SafeString("")
    step = width / len(counts)

    def rect(kind: str, place: int, number: int) -> tuple[str, str, str, str, str]:
        high = height * (number / most) ** 0.5
        return kind, _n(place * step + 1), _n(height - high), _n(max(step - 2, 1)), _n(high)

    bars = format_html_join(
        "",
        '<g><title>{}</title><rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/></g>',
        (
            (
                _("{what}: {rows}, {wanted} for review").format(
                    what=what, rows=figure(f"{rows:,}"), wanted=figure(f"{wanted:,}")
                ),
                *rect("rows", n, rows),
                *rect("wanted", n, wanted),
            )
            for n, (what, rows, wanted) in enumerate(counts)
        ),
    )
    return format_html(
        '<svg class="chart-columns" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>',
        width,
        height,
        label,
        bars,
    )


def amounts(points: Sequence[Point], *, width: int = 360, height: int = 84) -> SafeString:
    """Amounts over time as stems; the height is the square root, so small payments stay visible."""
    if not points:
        return SafeString("")
    left, right, top, floor = 6, width - 6, 8, height - 4
    start, end = min(p.at for p in points), max(p.at for p in points)
    span = (end - start).total_seconds() or 1.0
    tallest = max(p.amount for p in points) or 1.0

    def place(point: Point) -> tuple[str, str]:
        x = left + (right - left) * ((point.at - start).total_seconds() / span)
        share = max(point.amount, 0) / tallest
        return _n(x if end > start else width / 2), _n(floor - (floor - top) * share**0.5)

    stems = format_html_join(
        "",
        '<g class="{}"><line x1="{}" x2="{}" y1="{}" y2="{}"/><circle cx="{}" cy="{}" r="{}"/>'
        "<title>{}</title></g>",
        (
            ("marked" if p.marked else "stem", x, x, floor, y, x, y, 5 if p.marked else 3, p.label)
            # The marked one last: SVG paints in order, and it must lie on top.
            for p in sorted(points, key=lambda p: p.marked)
            for x, y in [place(p)]
        ),
    )
    return format_html(
        '<svg class="chart-amounts" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>{}</svg>',
        width,
        height,
        _("Amounts of {payments} payments over time").format(payments=len(points)),
        width,
        floor,
        floor,
        stems,
    )


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")

"""Risk scores over time as a small SVG: a dot per payment above the limits of the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import dateformat
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import figure
from scoring.engine.decision import Policy

WIDTH, HEIGHT, LEFT, TOP, FLOOR = 420, 140, 26, 8, 122  # as wide as its column, or letters shrink


@dataclass(frozen=True)
class Scored:
    """One decided payment."""

    at: datetime
    score: float
    level: str
    label: str


def risks(points: Sequence[Scored], policy: Policy) -> SafeString:
    """Latest at the right; nothing for nothing. The page has the same as a table."""
    if not points:
        return SafeString("")
    start, end = min(p.at for p in points), max(p.at for p in points)
    span = (end - start).total_seconds()

    def across(point: Scored) -> str:
        share = (point.at - start).total_seconds() / span if span else 0.5
        return f"{LEFT + 6 + (WIDTH - LEFT - 14) * share:.1f}"

    dots = format_html_join(
        "",
        '<circle class="risk level-{}" cx="{}" cy="{}" r="3.5"><title>{}</title></circle>',
        # The highest last: SVG paints in order, and they must lie on top.
        ((p.level, across(p), _y(p.score), p.label) for p in sorted(points, key=lambda p: p.score)),
    )
    return format_html(
        '<svg class="chart-risks" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}'
        '<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text></svg>',
        WIDTH,
        HEIGHT,
        _("Risk scores of {payments} payments over time, the highest {highest}").format(
            payments=len(points), highest=figure(f"{max(p.score for p in points):.2f}")
        ),
        _limits(policy),
        dots,
        LEFT,
        HEIGHT - 4,
        dateformat.format(start, "d M Y"),
        WIDTH - 4,
        HEIGHT - 4,
        dateformat.format(end, "d M Y"),
    )


def _limits(policy: Policy) -> SafeString:
    """The cuts between levels, and the ends of the scale."""
    return format_html_join(
        "",
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                kind,
                LEFT,
                WIDTH,
                _y(value),
                _y(value),
                LEFT - 4,
                float(_y(value)) + 4,
                f"{value:.1f}",
            )
            for kind, value in (
                ("axis", 0.0),
                ("limit", policy.low_below),
                ("limit", policy.high_above),
                ("limit", policy.critical_above),
            )
        ),
    )


def _y(score: float) -> str:
    return f"{FLOOR - (FLOOR - TOP) * min(max(score, 0.0), 1.0):.1f}"

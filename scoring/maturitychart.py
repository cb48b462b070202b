"""The share of frauds that are known so many days after the payment, as steps."""

from collections.abc import Sequence

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import figure

WIDTH, HEIGHT = 360, 110


def maturity(points: Sequence[tuple[float, float]], mature: int) -> SafeString:
    """Days and shares, both rising; the line is where silence begins to count as an answer."""
    if not points:
        return SafeString("")
    longest = max(points[-1][0], mature * 1.25)
    steps, y = ["0,0"], 0.0
    for days, share in points:
        x = WIDTH * days / longest
        steps += [f"{x:.1f},{y:.1f}", f"{x:.1f},{HEIGHT * share:.1f}"]
        y = HEIGHT * share
    steps.append(f"{WIDTH},{y:.1f}")
    at = f"{WIDTH * mature / longest:.1f}"
    words = _("Share of frauds known after so many days, up to {longest} days").format(
        longest=figure(f"{longest:.0f}")
    )
    return format_html(
        '<svg class="chart-maturity" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><title>{}</title><g transform="matrix(1 0 0 -1 0 {})">'
        '<line class="cut" x1="{}" x2="{}" y1="0" y2="{}"/><polyline points="{}"/></g></svg>',
        WIDTH,
        HEIGHT,
        words,
        words,
        HEIGHT,
        at,
        at,
        HEIGHT,
        " ".join(steps),
    )

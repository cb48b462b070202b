"""The risk gauge: a half circle with the bands of the policy and a needle at the score."""

from math import cos, isfinite, pi, sin

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from anomalyshield.templatetags.words import figure
from scoring.engine.decision import Level, Policy

CENTRE, BASE, OUTER, INNER = 100.0, 96.0, 84.0, 60.0


def bands(policy: Policy) -> list[tuple[Level, float, float]]:
    """Each level with where it begins and ends on the scale of 0 to 1."""
    edges = [0.0, policy.low_below, policy.high_above, policy.critical_above, 1.0]
    return list(zip(Level, edges, edges[1:], strict=False))


def gauge(score: float, level: str, policy: Policy) -> SafeString:
    """An SVG that says in its label what it shows; the page has the same numbers as a table."""
    arcs = format_html_join(
        "",
        '<path class="band level-{}" d="{}"/>',
        ((name, _arc(start, max(start, end))) for name, start, end in bands(policy)),
    )
    known = isfinite(score)
    x, y = _at(min(max(score, 0.0), 1.0) if known else 0.0, OUTER + 6)
    needle = format_html('<line class="needle" x1="100" y1="96" x2="{}" y2="{}"/>', x, y)
    return format_html(
        '<svg class="gauge" viewBox="0 0 200 112" role="img" aria-label="{}">'
        '{}{}<circle class="hub" cx="100" cy="96" r="5"/>'
        '<text x="14" y="110">0</text><text x="181" y="110">1</text></svg>',
        _("Risk score {score} of 1: {level}").format(
            score=figure(f"{score:.3f}") if known else _("unknown"), level=level
        ),
        arcs,
        needle if known else "",
    )


def _arc(start: float, end: float) -> str:
    """The outline of a part of the ring."""
    (x1, y1), (x2, y2) = _at(start, OUTER), _at(end, OUTER)
    (x3, y3), (x4, y4) = _at(end, INNER), _at(start, INNER)
    return (
        f"M{x1} {y1}A{OUTER:g} {OUTER:g} 0 0 1 {x2} {y2}L{x3} {y3}"
        f"A{INNER:g} {INNER:g} 0 0 0 {x4} {y4}Z"
    )


def _at(share: float, radius: float) -> tuple[str, str]:
    """A point of the half circle: 0 is at its left end, 1 at its right."""
    angle = pi * (1 - share)
    return f"{CENTRE + radius * cos(angle):.2f}", f"{BASE - radius * sin(angle):.2f}"

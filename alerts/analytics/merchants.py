"""At whom payments are made and when: categories, merchants, and the hours of the week."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.analytics.drawing import shades
from alerts.analytics.geography import COUNTS
from alerts.analytics.payments import Counts, capped, counted
from alerts.analytics.section import Section
from alerts.analytics.window import Window
from anomalyshield.exports import Column

SHOWN = 25
DAYS = (
    _lazy("Mon"),
    _lazy("Tue"),
    _lazy("Wed"),
    _lazy("Thu"),
    _lazy("Fri"),
    _lazy("Sat"),
    _lazy("Sun"),
)
# GROUPING tells which of the three sets a row belongs to: 0 where the column takes part.
KINDS = """
GROUPING(merchant_category, merchant_name, day), merchant_category, merchant_name, day, hour
"""
BY_KIND = """
CROSS JOIN LATERAL (
    SELECT extract(isodow FROM event_time AT TIME ZONE %(zone)s)::int AS day,
           extract(hour FROM event_time AT TIME ZONE %(zone)s)::int AS hour
) AS clock
GROUP BY GROUPING SETS ((merchant_category), (merchant_name), (day, hour))
"""
CATEGORY, MERCHANT, CLOCK = 0b011, 0b101, 0b110


def sections(window: Window) -> list[Section]:
    """Categories, merchants and hours, counted in one walk."""
    parts: dict[int, list[tuple[str, str, int, int, Counts]]] = {}
    for part, *rest in counted(KINDS, BY_KIND, window):
        parts.setdefault(part, []).append(tuple(rest))  # type: ignore[arg-type]
    hours = {(day, hour): counts for _unused, _unused, day, hour, counts in parts.get(CLOCK, [])}
    note = capped(window, sum(counts.payments for counts in hours.values()))
    return [
        _heat(hours, window, note),
        _named(
            "categories",
            _("Merchant categories"),
            _("Those with most payments held or blocked."),
            _("Category"),
            [(category, counts) for category, *_unused, counts in parts.get(CATEGORY, [])],
            note,
        ),
        _named(
            "merchants",
            _("Merchants"),
            _("Those with most payments held or blocked."),
            _("Merchant"),
            [(name, counts) for _unused, name, _unused, _unused, counts in parts.get(MERCHANT, [])],
            note,
        ),
    ]


def _named(
    key: str, title: str, meaning: str, one: str, found: list[tuple[str, Counts]], note: str
) -> Section:
    found = sorted(found, key=lambda one: (-one[1].anomalies, -one[1].payments, one[0]))
    rows = [(name or _("not stated"), *counts.cells) for name, counts in found[:SHOWN]]
    return Section(
        key, title, meaning, [Column(one), *COUNTS], rows, note=note, bars=2, open=True,
    )  # fmt: skip


def _heat(hours: dict[tuple[int, int], Counts], window: Window, note: str) -> Section:
    """Anomalies for each hour of the week, on the reader's clocks."""
    grid = [
        [hours[day, hour].anomalies if (day, hour) in hours else 0 for hour in range(24)]
        for day in range(1, 8)
    ]
    shade = shades([list(map(float, row)) for row in grid])
    return Section(
        "hours",
        _("Hours of the week"),
        _("Payments held or blocked by weekday and hour, {zone}. Stronger is more.").format(
            zone=window.zone
        ),
        [Column(_("Day")), *(Column(f"{hour:02}", "number") for hour in range(24))],
        [(name, *row) for name, row in zip(DAYS, grid, strict=True)] if hours else [],
        shades=[[-1, *row] for row in shade] if hours else [],
        note=note,
        open=True,
    )

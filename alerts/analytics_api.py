"""Figures of what happened for programs: what the pages show, and the same files."""

import math
from decimal import Decimal
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request

from alerts.analytics import TABS
from alerts.analytics.asking import file_of, length_of, tab_of
from alerts.analytics.window import window_of
from anomalyshield.exports import KINDS, WORKBOOK, shown
from anomalyshield.rest.resource import Download, Resource, does, read
from anomalyshield.rest.shapes import Strict

LENGTHS = sorted({length for tab in TABS.values() for length in tab.lengths})


class FiguresAsked(Strict):
    """How much of the past."""

    last = s.ChoiceField(LENGTHS, required=False, help_text="Hours for live, else days")


class FigureColumnOut(s.Serializer):
    """A column: its title and what its values are."""

    title = s.CharField()
    kind = s.CharField(
        help_text="text, number, score, money, share (0 to 1), moment, day or country"
    )


class FigureSectionOut(s.Serializer):
    """A table of figures; rows are in the order of its columns."""

    key = s.CharField()
    title = s.CharField()
    meaning = s.CharField()
    note = s.CharField()
    columns = FigureColumnOut(many=True)
    rows = s.ListField(child=s.ListField(child=s.JSONField(allow_null=True)))


class FiguresOut(s.Serializer):
    """What a page of figures shows. Personal values are masked for those who work no alerts."""

    tab = s.CharField()
    last = s.CharField()
    since = s.DateTimeField()
    until = s.DateTimeField()
    sections = FigureSectionOut(many=True)


class Figures(Resource):
    @does("readAnalytics", "analytics.view", FiguresOut, asked=FiguresAsked)
    def get(self, request: Request, tab: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The sections of one page: live, trends, places, merchants, queues or money."""
        one = tab_of(tab)
        last = length_of(one, asked.get("last", ""))
        window = window_of(request.user, last, zone=_zone(request.user))
        hidden = self.hides(request.user)
        return {
            "tab": one.key,
            "last": last,
            "since": window.since,
            "until": window.until,
            "sections": [
                {
                    "key": part.key,
                    "title": part.title,
                    "meaning": part.meaning,
                    "note": part.note,
                    "columns": part.columns,
                    "rows": [
                        [_plain(value) for value in row] for row in shown(part.table({}), hidden)
                    ],
                }
                for part in one.make(window)
            ],
        }


class FiguresFile(Download):
    """One table of figures as a file."""

    action = "report.export"

    @extend_schema(
        operation_id="readAnalyticsFile",
        parameters=[
            OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(KINDS)),
            FiguresAsked,
        ],
        responses={
            (200, "text/csv"): str,
            (200, WORKBOOK): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, tab: str, section: str, kind: str) -> HttpResponseBase:
        """The rows as CSV or XLSX: no cell is a formula, people masked by role, on the trail."""
        last, one = read(FiguresAsked, request.query_params.dict()).get("last", ""), tab_of(tab)
        return file_of(request.user, one, section, kind, last, zone=_zone(request.user))


def _zone(user: Any) -> str:
    """A person's own; a machine has none."""
    return getattr(user, "timezone", "") or "UTC"


def _plain(value: Any) -> Any:
    """As JSON knows it: no NaN, and numbers as numbers."""
    value = float(value) if isinstance(value, Decimal) else value
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""Figures of what happened: pages with tabs, each a list of sections made from a few statements.

`TABS` is the register: the page, the files, the API and the scheduled reports all read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alerts.analytics import geography, live, merchants, money, trends, workload
from alerts.analytics.section import Section
from alerts.analytics.window import DAYS, HOURS, Window


@dataclass(frozen=True)
class Tab:
    """One page: what it is called, the lengths of time it knows, and what makes it."""

    key: str
    title: str
    make: Callable[[Window], list[Section]]
    lengths: Mapping[str, str]
    usual: str
    reported: bool = True  # may a scheduled report be made of it?


TABS = {
    tab.key: tab
    for tab in (
        Tab("live", pgettext_lazy("figures", "Live"), live.sections, HOURS, "6h", reported=False),
        Tab("trends", _("Trends"), trends.sections, DAYS, "30d"),
        Tab("places", _("Geography"), geography.sections, DAYS, "30d"),
        Tab("merchants", _("Merchants and hours"), merchants.sections, DAYS, "30d"),
        Tab("queues", _("Queues"), workload.sections, DAYS, "30d"),
        Tab("money", _("Money"), money.sections, DAYS, "30d"),
    )
}
FIRST = "live"

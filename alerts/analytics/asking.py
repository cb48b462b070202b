"""How pages, files, programs and reports ask for figures: which tab, how long, which table."""

from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils.translation import gettext as _

from alerts.analytics import TABS, Tab
from alerts.analytics.window import window_of
from anomalyshield import exports


def tab_of(key: str) -> Tab:
    if key not in TABS:
        raise Http404(_("There is no such page of figures."))
    return TABS[key]


def length_of(one: Tab, asked: str) -> str:
    """The length of time asked for; the tab's usual one for what it does not know."""
    return asked if asked in one.lengths else one.usual


def file_of(by: Any, one: Tab, key: str, kind: str, last: str, *, zone: str) -> HttpResponseBase:
    """The table of a section as a download; 404 for what there is not."""
    if kind not in exports.KINDS:
        raise Http404(_("Tables come as {kinds}.").format(kinds=_(" or ").join(exports.KINDS)))
    last = length_of(one, last)
    window = window_of(by, last, zone=zone)
    found = next((part for part in one.make(window) if part.key == key), None)
    if found is None:
        raise Http404(_("There is no such table."))
    told = {"page": one.key, "last": last, **window.told}
    return exports.answer(by=by, table=found.table(told), kind=kind)

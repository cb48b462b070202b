"""Where payments are made and look like fraud: a map without a network, and its table."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.analytics.drawing import Spot, world
from alerts.analytics.payments import Counts, capped, counted
from alerts.analytics.places import COUNTRIES
from alerts.analytics.section import Section
from alerts.analytics.window import Window
from anomalyshield.exports import Column
from anomalyshield.templatetags.words import figure
from scoring.payment_words import country_alone
from scoring.place_days import by_place

SHOWN, HOT = 40, 2.0
MOST_PLACES = 500
FEW = 20  # payments: a rate of fewer is chance
COUNTS = [
    Column(_lazy("Payments"), "number"),
    Column(_lazy("Anomalies"), "number"),
    Column(_lazy("Anomaly rate"), "share"),
    Column(_lazy("Known frauds"), "number"),
    Column(_lazy("Genuine, held"), "number"),
    Column(_lazy("Amount held"), "money"),
]
# Places as they were stated; where they lie, if they said so, on average.
PLACES = "country, location, avg(latitude), avg(longitude)"
BY_PLACE = f"GROUP BY country, location ORDER BY 6 DESC, 5 DESC, 1, 2 LIMIT {MOST_PLACES}"
Place = tuple[str, str, float | None, float | None, Counts]


def sections(window: Window) -> list[Section]:
    found, note = _found(window)
    whole = sum(counts.payments for *_unused, counts in found)
    rate = sum(counts.anomalies for *_unused, counts in found) / whole if whole else 0.0
    spots = [spot for one in found if (spot := _spot(*one, rate)) is not None]
    if rate:
        hot = _("the red circles") if any(spot.hot for spot in spots) else _("none")
        note = (
            _("More than twice the rate of all, {rate} %: {hot}. {note}")
            .format(rate=figure(f"{100 * rate:.2f}"), hot=hot, note=note)
            .strip()
        )
    return [
        Section(
            "places",
            _("Anomalies by place"),
            _(
                "Where payments that were held or blocked were made; areas are their number, "
                "small dots are countries."
            ),
            [Column(_("Country"), "country"), Column(_("Place")), *COUNTS],
            [
                (country or _("not stated"), location, *counts.cells)
                for country, location, _unused, _unused, counts in found[:SHOWN]
            ],
            chart=world(spots, _("Map of {spots} places with anomalies").format(spots=len(spots))),
            note=note,
            bars=3,
        ),
        _countries(found),
    ]


def _found(window: Window) -> tuple[list[Place], str]:
    """As they are counted by day already; else the latest payments, and a word on that."""
    rows = by_place(window.since, window.until, most=MOST_PLACES)
    if rows is not None:
        return [(*row[:4], Counts(*row[4:])) for row in rows], ""
    found = [(*row[:4], row[4]) for row in counted(PLACES, BY_PLACE, window)]
    return found, capped(window, sum(one[4].payments for one in found))


def _spot(
    country: str,
    location: str,
    latitude: float | None,
    longitude: float | None,
    counts: Counts,
    usual: float,
) -> Spot | None:
    """None: nothing happened there, or nobody knows where it is."""
    at = (latitude, longitude) if latitude is not None else COUNTRIES.get(country)
    if at is None or at[1] is None or not counts.anomalies:
        return None
    hot = counts.payments >= FEW and (counts.rate or 0) > HOT * usual
    said = _("{value}: {anomalies} of {payments} payments").format(
        value=location or country_alone(country),
        anomalies=figure(f"{counts.anomalies:,}"),
        payments=figure(f"{counts.payments:,}"),
    )
    name = location or country_alone(country)
    return Spot(float(at[0]), float(at[1]), counts.anomalies, said, name, hot)


def _countries(
    found: list[Place],
) -> Section:
    sums: dict[str, list[Counts]] = {}
    for country, *_unused, counts in found:
        sums.setdefault(country or _("not stated"), []).append(counts)
    rows = [(country, *_together(parts).cells) for country, parts in sums.items()]
    rows.sort(key=lambda row: (-row[2], -row[1], row[0]))
    return Section(
        "countries",
        _("By country"),
        _("The same places, added up."),
        [Column(_("Country"), "country"), *COUNTS],
        rows[:SHOWN],
        bars=2,
        open=True,
    )


def _together(parts: list[Counts]) -> Counts:
    return Counts(
        payments=sum(one.payments for one in parts),
        anomalies=sum(one.anomalies for one in parts),
        frauds=sum(one.frauds for one in parts),
        genuine=sum(one.genuine for one in parts),
        amount=sum(one.amount for one in parts),
    )

"""For data engineers: is everything that should come in coming in, and getting through?"""

from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import (
    LINES,
    RECENT,
    Line,
    Panel,
    Row,
    Tile,
    elapsed,
    model,
    some,
    upto,
)
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import figure, percent, span
from anomalyshield.together import Part, Sql
from anomalyshield.waiting import all_work

SLOW = 30.0  # seconds a row may wait before it is worth a look
MANY_REJECTED = 0.05
RATE = """
SELECT count(*) FILTER (WHERE decided_at > now() - interval '1 hour'),
       count(*) FILTER (WHERE decided_at > now() - interval '1 minute')
FROM (SELECT decided_at FROM scoring_decision ORDER BY id DESC LIMIT %(recent)s) AS latest
"""
COMING = """
SELECT source_id, count(*) FILTER (WHERE recorded_at > now() - interval '1 day'), max(recorded_at)
FROM (SELECT source_id, recorded_at FROM scoring_transaction ORDER BY id DESC LIMIT %(recent)s)
    AS latest
GROUP BY source_id
"""
REFUSED = """
SELECT source_id, count(*) FROM
    (SELECT source_id, at FROM scoring_rejectedrecord ORDER BY id DESC LIMIT %(recent)s) AS latest
WHERE at > now() - interval '1 day' GROUP BY source_id
"""


def rate(user: User) -> Part[Tile]:
    [(hour, minute)] = yield _latest(RATE)
    more = "+" if hour >= RECENT else ""
    hint = _("{minute} in the last minute").format(minute=figure(f"{minute:,}"))
    return Tile(
        _("Decided in an hour"), figure(f"{hour:,}") + more, hint, address_of("transactions")
    )


def lag(user: User) -> Part[Tile]:
    """How long the oldest row of any kind of work has waited."""
    slowest = max((yield from all_work()), key=lambda work: work.oldest)
    words = (
        _("{ready} of {name} wait").format(ready=figure(f"{slowest.ready:,}"), name=slowest.name)
        if slowest.ready
        else _("nothing waits")
    )
    tone = "warn" if slowest.oldest > SLOW else ""
    address = address_of("system") if user.may("health.deep") else address_of("uploads")
    return Tile(_("Longest wait"), span(slowest.oldest), words, address, tone)


def rejects(user: User) -> Part[Tile]:
    refused = yield _latest(REFUSED)
    total = sum(number for _unused, number in refused)
    hint = _("records in 24 hours")
    return Tile(
        _("Rejected"), figure(f"{total:,}"), hint, address_of("uploads"), "warn" if total else ""
    )


def files(user: User) -> Part[Tile]:
    uploads = model("scoring.Upload").objects.visible_to(user)
    under_way, waits = yield (
        some(uploads.filter(state__in=["READY", "RUNNING"])),
        some(uploads.filter(state="WAITING")),
    )
    return Tile(
        _("Files under way"),
        upto(under_way),
        _("{waits} wait to be started").format(waits=upto(waits)),
        address_of("uploads"),
    )


def sources(user: User) -> Part[Panel]:
    """Each source with its last record and the share of a day that was refused."""
    seen = model("scoring.Source").objects.visible_to(user).filter(active=True)
    coming, refusing, shown = yield _latest(COMING), _latest(REFUSED), seen[:12]
    came = {number: (records, last) for number, records, last in coming}
    refused, rows = dict(refusing), []
    for source in shown:
        records, last = came.get(source.pk, (0, None))
        bad = refused.get(source.pk, 0)
        share = bad / (records + bad) if records + bad else 0.0
        words = elapsed(last) if last else _("not lately")
        mark = " ▲" if share > MANY_REJECTED else ""
        rows.append(
            Row(
                source.title or source.name,
                (words, figure(f"{records:,}"), f"{percent(share)}{mark}"),
                address_of("source", source.pk),
            )
        )
    heads = (_("Source"), _("Last record"), _("In 24 hours"), _("Rejected"))
    empty = _("No source is kept by you. An engineer or an admin makes one.")
    note = _("among the latest {recent} records; ▲ more than {many_rejected}").format(
        recent=figure(f"{RECENT:,}"), many_rejected=percent(MANY_REJECTED, 0)
    )
    return Panel(
        _("Sources"), empty, rows=rows, heads=heads, address=address_of("sources"), note=note
    )


def _latest(sql: str) -> Sql:
    return Sql(sql, {"recent": RECENT})


def recent_files(user: User) -> Part[Panel]:
    uploads = (
        yield model("scoring.Upload").objects.visible_to(user).select_related("source")[:LINES]
    )
    lines = [
        Line(
            upload.name,
            address_of("upload", upload.pk),
            _("{accepted} accepted, {rejected} rejected").format(
                accepted=figure(f"{upload.accepted:,}"), rejected=figure(f"{upload.rejected:,}")
            ),
            upload.state_in_words if upload.state != "DONE" else upload.stage.lower(),
        )
        for upload in uploads
    ]
    return Panel(_("Files"), _("No file was uploaded yet."), lines, address_of("uploads"))

"""When a report is next due. Pure: no clock, no database."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

DAILY, WEEKLY, MONTHLY = "DAILY", "WEEKLY", "MONTHLY"


def next_after(moment: datetime, cadence: str, hour: int, zone: ZoneInfo) -> datetime:
    """The first time strictly after `moment`: each day, Monday or first of the month at this hour.

    On the clocks of `zone`, summer time included: an hour that does not exist on a day is the
    one after it, and an hour that comes twice is the first.
    """
    day = moment.astimezone(zone).date()
    for ahead in range(33):
        one = day + timedelta(days=ahead)
        wanted = {DAILY: True, WEEKLY: one.weekday() == 0, MONTHLY: one.day == 1}[cadence]
        at = datetime(one.year, one.month, one.day, hour, tzinfo=zone)
        if wanted and at.timestamp() > moment.timestamp():
            return datetime.fromtimestamp(at.timestamp(), tz=zone)
    raise AssertionError("a month has a first day")

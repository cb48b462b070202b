"""Webhooks as one of the channels: signed letters by POST, on the schedule of their standard."""

from datetime import datetime

from scoring.models import Delivery
from scoring.webhooks import signing
from scoring.webhooks.addresses import checked
from scoring.webhooks.sending import Letter, send_all

__all__ = ["PAUSES", "checked", "letter", "send_all"]
MINUTE, HOUR = 60.0, 3600.0
# Standard Webhooks: seconds before the second try, the third …; about three days in all.
PAUSES = (5.0, 5 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 5, 10, 14, 20, 24)))


def letter(delivery: Delivery, now: datetime) -> Letter:
    headers = signing.headers(delivery.event, delivery.endpoint, now=now)
    return Letter(delivery.endpoint.url, headers, delivery.event.body.encode())

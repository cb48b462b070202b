"""The ways upstream systems are told, by how an address begins. Peers with the same four promises.

A channel is a module with `checked(url)`, which raises `Refused`; `letter(delivery, now)`, which
may raise `SecretLost`; `send_all(letters)`, which gives one `Answer` for each; and `PAUSES`, the
seconds before each next try.
"""

from importlib import import_module
from typing import Any, NamedTuple


class Channel(NamedTuple):
    """One way of telling: how its addresses begin, where it lives, what it has."""

    begins: str
    where: str
    signs: bool  # with a secret that the receiver is given
    longest_rest: float  # seconds for which an endpoint that only fails is left alone at most

    @property
    def module(self) -> Any:
        return import_module(self.where)


KAFKA = Channel("kafka:", "scoring.streaming.producing", signs=False, longest_rest=60.0)
POST = Channel("", "scoring.webhooks.posting", signs=True, longest_rest=600.0)
CHANNELS = [KAFKA, POST]  # the last one takes every address, and refuses what it does not know


def channel_of(url: str) -> Channel:
    return next(channel for channel in CHANNELS if url.startswith(channel.begins))

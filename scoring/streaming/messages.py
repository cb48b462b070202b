"""From messages, whatever broker they came from, to records at the common door."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from anomalyshield.strictjson import Malformed, loads
from scoring.accepting import Sent


@dataclass(frozen=True, slots=True)
class Message:
    """What a broker handed over, and where it stood there."""

    place: str  # "transactions/3@1234": topic, partition, offset; or whatever finds it again
    value: bytes | None
    at: datetime | None = None  # when it was sent, if the broker says so


def sent(messages: Sequence[Message]) -> list[Sent]:
    """Each message as a record, or as bytes that are none and why; nothing here raises."""
    return [_sent(message) for message in messages]


def _sent(message: Message) -> Sent:
    if not message.value:
        return Sent(b"", message.place, {"record": "is empty"})
    try:
        return Sent(loads(message.value), message.place, at=message.at)
    except Malformed as malformed:
        return Sent(message.value, message.place, {"record": f"cannot be read: {malformed.text}"})


def moment(milliseconds: int) -> datetime | None:
    """When a message was sent, by its broker; None for what no clock shows. Senders may write any
    number there, and one that is no moment must not stop those behind it."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None

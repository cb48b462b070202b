"""Why a job ended, in a sentence: what Java and Spark say of it takes a hundred lines."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from scoring.streaming.spark.keeping import Ahead
from scoring.streaming.spark.marks import Apart

OWN = (Apart, Ahead)  # these say themselves what to do
CAUSE = re.compile(r"^Caused by: (.+)$", re.MULTILINE)  # the last one is the first in time
WRAPPED = re.compile(r"^\[STREAM_FAILED\] .*? terminated with exception: ")
GOES_ON = "Nothing is lost: started again, the job goes on where it was."


class Ending(NamedTuple):
    """What stands in the words of Java, and ours for it."""

    found: re.Pattern[str]
    said: str


ENDINGS = [  # the first that is found
    Ending(
        re.compile(r"not present in metadata after .*?UnknownTopicOrPartition", re.DOTALL),
        "{servers} has no topic “{out}”, which is told what was not approved. Make it, or name "
        f"another with --out. {GOES_ON}",
    ),
    Ending(
        re.compile(r"UnknownTopicOrPartition|TopicNotPresent"),
        f"{{servers}} has no topic {{topics}}. Make it, or mend the source's. {GOES_ON}",
    ),
    Ending(
        re.compile(r"(Topic|Group|Cluster)Authorization"),
        f"{{servers}} does not let this log-in read {{topics}} or write “{{out}}”. {GOES_ON}",
    ),
    Ending(
        re.compile(r"SaslAuthentication|SslAuthentication|SSLHandshake"),
        "{servers} does not let us in; manage.py check_source says what to mend. " + GOES_ON,
    ),
    Ending(
        re.compile(r"KAFKA_DATA_LOSS|data may have been lost|OffsetOutOfRange"),
        "What comes next is not in {topics} any more: the broker deleted it unread, or the topics "
        "are others than before. Bring it back; or go on behind it, with --accept-loss.",
    ),
    Ending(
        re.compile(r"No space left on device|Disk quota exceeded"),
        f"There is no room left on the disk of {{folder}}. {GOES_ON}",
    ),
    Ending(
        re.compile(r"OutOfMemoryError"),
        "Spark's memory is too small for one batch: give it more, or less to a batch with --most. "
        + GOES_ON,
    ),
    Ending(
        re.compile(r"Py4JNetworkError|Answer from Java side is empty|Errno 111|ConnectionRefused"),
        "Spark's Java process is gone: it was killed, perhaps for the memory it took. " + GOES_ON,
    ),
    Ending(
        re.compile(r"TimeoutException|KafkaAdminClient|DisconnectException"),
        f"{{servers}} does not answer. {GOES_ON}",
    ),
]


def words(error: BaseException, *, topics: Sequence[str], **places: object) -> str:
    """What ended the job and what to do; of what is not known here, the cause as it was told."""
    if isinstance(error, OWN):
        return str(error)
    text = str(error)
    places["topics"] = ", ".join(topics)
    for one in ENDINGS:
        if one.found.search(text):
            return one.said.format(**places)
    last = [WRAPPED.sub("", text.strip()).partition("\n")[0], *CAUSE.findall(text)][-1]
    return f"The job ended with: {last[:500] or type(error).__name__} More of it stands above."

"""`manage.py up` keeps a reader for each active source of messages that says how it is reached and
is not left to Spark.

A reader that ends for a reason only a person can mend costs five seconds of a core each time it is
started: it is tried again after pauses that grow to five minutes, and at once when its source is
changed.
"""

import time
from collections.abc import Callable

import psycopg
from django.apps import apps

from anomalyshield.children import Child
from anomalyshield.condition import READERS
from anomalyshield.supervisor import Supervisor

LOOK_SECONDS = 5.0
LONGEST_PAUSE = 300.0
ASK = """
SELECT name, kind, connection, md5(connection::text || sealed::text) FROM scoring_source
WHERE active AND kind = ANY(%s) ORDER BY name
"""


class Listeners:
    """Follows the table of sources: who is made gets a child, who is switched off loses it."""

    def __init__(
        self, supervisor: Supervisor, child: Callable[..., Child], database_url: str
    ) -> None:
        self.supervisor, self.child, self.database_url = supervisor, child, database_url
        self.kept: dict[str, Child] = {}  # by the name of the child
        self.marks: dict[str, str] = {}  # of what their sources said when they were last looked at
        self.looked = float("-inf")

    def look(self) -> None:
        """Every few seconds; a database that is away is asked again the next time."""
        if time.monotonic() - self.looked < LOOK_SECONDS:
            return
        self.looked = time.monotonic()
        try:
            wanted = self._wanted()
        except psycopg.Error:
            return
        for name in self.kept.keys() - wanted.keys():
            self.supervisor.remove(self.kept.pop(name))
        for name, (mark, *words) in wanted.items():
            if name not in self.kept:
                self.kept[name] = self.child(name, "manage.py", *words)
                self.supervisor.add(self.kept[name], longest=LONGEST_PAUSE)
            elif self.marks[name] != mark:  # one that runs sees it itself
                self.supervisor.hurry(self.kept[name])
            self.marks[name] = mark

    def _wanted(self) -> dict[str, tuple[str, str, str]]:
        """Name of the child → mark of what its source says, and the command with its source."""
        with psycopg.connect(self.database_url, connect_timeout=2) as session:
            found = session.execute(ASK, [list(READERS)]).fetchall()
        of_kind = apps.get_model("scoring.Source")
        return {
            f"{READERS[kind]}-{name}": (mark, READERS[kind], name)
            for name, kind, said, mark in found
            for one in [of_kind(kind=kind, connection=said)]
            if not (one.lacks or one.left_to_spark)
        }

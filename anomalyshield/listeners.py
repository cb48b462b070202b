"""`manage.py up` keeps a reader for each active source of messages."""

import time
from collections.abc import Callable

import psycopg

from anomalyshield.children import Child
from anomalyshield.condition import READERS
from anomalyshield.supervisor import Supervisor

LOOK_SECONDS = 5.0
ASK = "SELECT name, kind FROM scoring_source WHERE active AND kind = ANY(%s) ORDER BY name"


class Listeners:
    """Follows the table of sources: who is made gets a child, who is switched off loses it."""

    def __init__(
        self, supervisor: Supervisor, child: Callable[..., Child], database_url: str
    ) -> None:
        self.supervisor, self.child, self.database_url = supervisor, child, database_url
        self.kept: dict[str, Child] = {}  # by the name of the child
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
        for name, words in wanted.items():
            if name not in self.kept:
                self.kept[name] = self.child(name, "manage.py", *words)
                self.supervisor.add(self.kept[name])

    def _wanted(self) -> dict[str, tuple[str, str]]:
        with psycopg.connect(self.database_url, connect_timeout=2) as session:
            found = session.execute(ASK, [list(READERS)]).fetchall()
        return {f"{READERS[kind]}-{name}": (READERS[kind], name) for name, kind in found}

"""`manage.py listen_mqtt`: take in what an MQTT broker has for a source, until it is stopped."""

import threading
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import connection as database

from scoring.management.commands.consume import found, its_end_told, stopping, warm
from scoring.models import Source
from scoring.streaming import connection
from scoring.streaming.listening import Listener, Refused

NONE = "There is no active source of kind mqtt. Make one on the page Sources, or name it."
ALONE = "SELECT pg_try_advisory_lock(hashtextextended('listens to source ' || %s::text, 0))"
TURN_SECONDS = 2.0


class Command(BaseCommand):
    """Only one listens for a source: a broker knows it by its name. A second one stands by."""

    help = "Take in messages of the MQTT broker of a source: acknowledged when they are committed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", help="Its name; without it the only one of mqtt")
        parser.add_argument("--host", help="Else that of the source")
        parser.add_argument("--port", type=int)
        parser.add_argument("--topic", action="append", help="Else those of the source")

    def handle(self, *_: Any, **given: Any) -> None:
        listened = Source.objects.filter(kind=connection.MQTT, active=True)
        source, stop = found(given["source"], listened, NONE), stopping()
        reasons = (connection.Misconfigured, connection.Missing, Refused)
        with its_end_told(f"stream:{source.pk}", *reasons):
            settings = connection.of(
                source, host=given["host"], port=given["port"], topic=given["topic"]
            )
            warm()
            with psycopg.connect(**database.get_connection_params(), autocommit=True) as session:
                listener = Listener(source, settings, stop, lambda: session.execute("SELECT 1"))
                if self._my_turn(session, source, stop):
                    self.stderr.write(f"{source.name} hears {', '.join(settings.topics)}.")
                    listener.run()

    def _my_turn(
        self, session: psycopg.Connection[Any], source: Source, stop: threading.Event
    ) -> bool:
        """Once nobody else listens for this source; False if we are stopped before."""
        said = False
        while not stop.is_set():
            row = session.execute(ALONE, [source.pk]).fetchone()
            if row and row[0]:
                return True
            if not said:
                self.stderr.write(f"Somebody listens for {source.name} already; standing by.")
            said = True
            stop.wait(TURN_SECONDS)
        return False

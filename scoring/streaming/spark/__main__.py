"""`python -m scoring.streaming.spark FOLDER`, or this file for spark-submit."""

import argparse
import logging
import signal
import sys
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

from scoring.streaming.spark import sinks
from scoring.streaming.spark.job import Unusable
from scoring.streaming.spark.running import Options, Stream, alone, seed, session


def main(words: list[str]) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    options, stop = Options(**vars(_parser().parse_args(words))), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        sinks.check(options.sink, options.jars)
        with alone(options.folder):
            seed(options.folder, options.shards)
            with session(options) as spark:
                Stream(options, spark).run(stop)
    except Unusable as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scoring.streaming.spark", description=__doc__)
    parser.add_argument("folder", type=Path, help="What manage.py spark --hand-over has written")
    parser.add_argument("--servers", required=True, help="Kafka brokers, host:port with commas")
    for one in fields(Options)[2:]:
        name = f"--{one.name.replace('_', '-')}"
        if one.type is bool:
            parser.add_argument(name, action="store_true")
        else:
            kind: Any = one.type
            parser.add_argument(name, type=kind, default=one.default)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Schemathesis without a network: its cases for our manual, sent by whoever may, and taken back.

A case goes the whole way of a request that a server takes, in this process and inside the
transaction of a test, so every case meets the same world and nothing it begins is ever done.
"""

import itertools
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.overrides import Override
from schemathesis.schemas import APIOperation, BaseSchema

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.roles import ACTIONS, ADMIN, KEYS, TABLE
from anomalyshield.accounts.tokens import tokens_for
from anomalyshield.wsgi import application
from scoring import current
from tests.rest.schemas import manual
from tests.rest.world import ORDER, World

RIGHT = re.compile(r"Right `([a-z.]+)`")
# Not: that whatever a schema allows is accepted. It cannot say which transitions are allowed.
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)
# Of many records those that are wrong are named in the answer, and the others taken.
TAKES_WHAT_IT_CAN = {"predictBatch", "scoreBatch", "sendEvents", "sendNotices"}
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@cache
def schema() -> BaseSchema:
    """Our manual; read once in a process."""
    schema: BaseSchema = openapi.from_dict(deepcopy(manual()), config=SchemathesisConfig())
    schema.app = application
    schema.config.update(base_url="http://localhost")
    # Credentials are ours to choose: beside a good one, an invented one says nothing.
    schema.config.generation.with_security_parameters = False
    # What changed since it was read is refused before anybody looks at what shall become of it.
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "412"]
    load_all_checks()
    return schema


@cache
def operations() -> dict[str, APIOperation]:
    """By method and address."""
    found = (one.ok() for one in schema().get_all_operations())
    return {one.label: one for one in found}


def each_corner(operation: APIOperation, most: int | None = None) -> list[Case]:
    """What schemathesis finds by going through the schema, the same in every run: each bound met
    and passed, each member left out or of another kind. `most` of them, evenly; else all."""
    found = CoverageGenerator(
        operation=operation,
        generation_modes=MODES,
        generation_config=operation.schema.config.generation,
        auth_storage=None,
        override=Override(),
        feedback=FeedbackSources(),
    )
    cases = list(found)
    count = len(cases) if most is None else min(most, len(cases))
    return [cases[place * len(cases) // count] for place in range(count)]


def at_random(
    operation: APIOperation, ask: Callable[[Case], object], examples: int, *, again: bool
) -> None:
    """So many cases that the schema allows, or nearly; `again`: the same ones in every run."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=again,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES]))
    def once(case: Case) -> None:
        ask(case)

    once()


@contextmanager
def one_connection() -> Iterator[None]:
    """A request takes a connection that is no longer good for a new one: not that of a test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


class Kept(logging.Handler):
    """What was logged as a mistake of ours."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class Asker:
    """Sends a case as one after the other of those who may, to one after the other of what is
    there, and has nothing left of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.turn = itertools.count()
        self.keys = {scope: self._key(scope) for scope in sorted(KEYS)}
        self.tokens: dict[str, tuple[float, str]] = {}

    def ask(self, case: Case) -> None:
        """Raises what its checks found, or what was logged."""
        self._place(case)
        names = [
            name
            for name in CHECKED
            if name != "negative_data_rejection" or not takes_what_it_can(case.operation)
        ]
        with transaction.atomic(), heard() as log:
            try:
                case.call_and_validate(
                    headers=self._who(case.operation), checks=[CHECKS.get_one(one) for one in names]
                )
            finally:
                transaction.set_rollback(True)
                self._forget()
        assert not log.said, log.said

    def _place(self, case: Case) -> None:
        """Four times of five at what is there, unless the address itself is the matter."""
        if case.meta and case.meta.is_negative_at(ParameterLocation.PATH):
            return
        turn, path = next(self.turn), dict(case.path_parameters)
        for name in path if turn % 5 else ():
            step = case.path.partition("/{" + name + "}")[0].split("/")[-1]
            if there := self.world.ids.get(step):
                one = there[turn % len(there)]
                path[name] = one if isinstance(one, int) else str(one)
        case.path_parameters = path

    def _who(self, operation: APIOperation) -> dict[str, str]:
        found = RIGHT.search(operation.definition.raw["description"])
        if found is None:
            return {}
        scopes = next(action.scopes for action in TABLE if action.name == found[1])
        callers = [role for role in ORDER if role in ACTIONS[found[1]]] + sorted(scopes)
        caller = callers[next(self.turn) % len(callers)]
        if caller in self.keys:
            return {"X-Api-Key": self.keys[caller]}
        return {"Authorization": f"Bearer {self._token(caller)}"}

    def _token(self, role: str) -> str:
        """One that works for another minute at least."""
        ends, token = self.tokens.get(role, (0.0, ""))
        if ends < time.monotonic() + 60:
            made = tokens_for(self.world.people[role])
            ends, token = time.monotonic() + float(made["expires_in"]), str(made["access_token"])
            self.tokens[role] = ends, token
        return token

    def _key(self, scope: str) -> str:
        by = self.world.people[ADMIN]
        return keys.make_key(by=by, name=scope, scopes=[scope], per_minute=1_000_000)[1]

    def _forget(self) -> None:
        """A process remembers what was in force for a second: it is no longer."""
        forget_keys()
        current.forget()


@contextmanager
def heard() -> Iterator[Kept]:
    kept = Kept()
    logging.getLogger().addHandler(kept)
    try:
        yield kept
    finally:
        logging.getLogger().removeHandler(kept)


def takes_what_it_can(operation: APIOperation) -> bool:
    return operation.definition.raw["operationId"] in TAKES_WHAT_IT_CAN

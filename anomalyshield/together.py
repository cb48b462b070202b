"""Several questions in one statement: a page of many parts goes to the database a few times.

A part that has to know something is a function that yields its questions and goes on with their
answers, so that it reads from top to bottom like any other:

    def held(user: User) -> Part[Tile]:
        mine, late = yield HowMany(alerts_of(user)), HowMany(alerts_of(user).overdue())
        return Tile("My alerts", mine, late)

`together` runs such parts side by side. Whatever they ask in the same round goes to the database as
one statement, each question as a column of it: an array of its rows. Rows come back in the binary
format, which alone tells their types, so that a question answers what it answers when it is asked
by itself.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Aggregate, QuerySet, Value
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.types.net import InetBinaryLoader

T = TypeVar("T")
Part = Generator[Any, Any, T]
Row = tuple[Any, ...]
NAMED = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True)
class HowMany:
    """The number of rows of a question, which ends where it is no use to count on."""

    of: QuerySet[Any]


class Totals:
    """Sums of a question, as `of.aggregate(**sums)`; its answer is a dictionary."""

    def __init__(self, of: QuerySet[Any], **sums: Aggregate) -> None:
        whole = of.order_by().annotate(whole=Value(1)).values("whole")  # one group of all
        self.rows = whole.annotate(**sums).values(*sums)
        self.nothing = {name: one.empty_result_set_value for name, one in sums.items()}


@dataclass(frozen=True)
class Sql:
    """A question in SQL; its answer is the list of rows."""

    text: str
    params: dict[str, Any] = field(default_factory=dict)


Question = QuerySet[Any] | HowMany | Totals | Sql


def together(*parts: Any) -> list[Any]:
    """What each part comes to. Whatever is no part has come to something already."""
    whole, answers = side_by_side(*parts), None
    while True:
        try:
            questions = whole.send(answers)
        except StopIteration as end:
            return list(end.value)
        answers = answered(questions)


def alone(part: Part[T]) -> T:
    """What one part comes to by itself."""
    found: T = together(part)[0]
    return found


def side_by_side(*parts: Any) -> Part[list[Any]]:
    """Several parts as one: what they ask in the same round is asked at once.

    A part may ask one question or, as a tuple, several; then it is answered by a list.
    """
    found, answers = list(parts), dict.fromkeys(range(len(parts)))
    running = {n: part for n, part in enumerate(parts) if isinstance(part, Generator)}
    while running:
        asked = {}
        for n, part in list(running.items()):
            try:
                asked[n] = part.send(answers[n])
            except StopIteration as end:
                found[n] = end.value
                del running[n]
        if asked:
            told = iter((yield [one for said in asked.values() for one in _each(said)]))
            answers = {n: _like(said, told) for n, said in asked.items()}
    return found


def _each(said: Any) -> tuple["Question", ...]:
    return tuple(said) if isinstance(said, tuple | list) else (said,)


def _like(said: Any, told: Iterator[Any]) -> Any:
    return [next(told) for _ in said] if isinstance(said, tuple | list) else next(told)


def rows(question: "Question") -> Part[list[Any]]:
    """A part that only wants to know this."""
    answer: list[Any] = yield question
    return answer


def first(answer: Sequence[T]) -> T | None:
    """Of an answer that has one row at most."""
    return answer[0] if answer else None


def answered(questions: Sequence[Question]) -> list[Any]:
    """The answers, in the order of the questions."""
    stated = [_stated(one) for one in questions]
    rows = iter(_fetched([(sql, params) for sql, params, _ in stated if sql]))
    return [settle(next(rows) if sql else []) for sql, _, settle in stated]


def _stated(question: Question) -> tuple[str, Sequence[Any], Callable[[list[Row]], Any]]:
    """As SQL with its parameters, and what makes an answer of the rows; no SQL: there are none."""
    if isinstance(question, Sql):
        names = NAMED.findall(question.text)
        return NAMED.sub("%s", question.text), [question.params[name] for name in names], list
    if isinstance(question, HowMany):
        sql, params, _ = _stated(question.of)
        counted = f"SELECT count(*) FROM ({sql}) AS counted" if sql else ""
        return counted, params, lambda rows: rows[0][0] if rows else 0
    if isinstance(question, Totals):
        sql, params, settle = _of_rows(question.rows)
        return sql, params, lambda rows: settle(rows)[0] if rows else question.nothing
    return _of_rows(question)


def _of_rows(
    question: QuerySet[Any],
) -> tuple[str, Sequence[Any], Callable[[list[Row]], list[Any]]]:
    """The question by its own compiler, which later makes of the rows what it would have made of
    those it fetched itself: models with what belongs to them, dictionaries, values."""
    asked = question._chain()
    compiler = asked.query.get_compiler(connection.alias)
    asked.query.get_compiler = lambda *_, **__: compiler
    try:
        sql, params = compiler.as_sql()
    except EmptyResultSet:
        sql, params = "", ()

    def settle(rows: list[Row]) -> list[Any]:
        most = compiler.col_count if compiler.has_extra_select else None
        compiler.execute_sql = lambda *_, **__: [[row[:most] for row in rows]]
        return list(asked)

    return sql, params, settle


class _Json(Loader):
    """Left as text for the field to read, as Django does of what comes in the text format."""

    format = Format.BINARY

    def load(self, data: Any) -> str:
        return bytes(data)[1:].decode()  # behind the version of the format


class _Address(InetBinaryLoader):
    """As text, again as Django does."""

    def load(self, data: Any) -> str:  # type: ignore[override]
        return str(super().load(data))


def _fetched(stated: Sequence[tuple[str, Sequence[Any]]]) -> Iterator[list[Row]]:
    if not stated:
        return iter(())
    columns = ", ".join(f"ARRAY(SELECT answer_ FROM ({sql}) AS answer_)" for sql, _ in stated)
    params = [one for _, some in stated for one in some]
    with connection.cursor() as cursor:
        text = cursor.mogrify(f"SELECT {columns}", params)
        cursor.cursor = ServerBindingCursor(connection.connection)  # the others know text alone
        cursor.cursor.format = Format.BINARY
        cursor.cursor.adapters.register_loader("jsonb", _Json)
        cursor.cursor.adapters.register_loader("inet", _Address)
        cursor.execute(text)
        [row] = cursor.fetchall()
    return iter(row)

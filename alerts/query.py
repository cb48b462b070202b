"""The search of the queue: `entity:user_42 amount>5000 reason:HIGH_AMOUNT -level:LOW A-12`.

Words stand side by side and all have to hold; values behind a comma are alternatives; a minus
negates; quotes keep blanks together. What cannot be read is answered with its place in the text.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.query_fields import ALERT, BY_NAME, STATUS, Asker, word
from alerts.query_values import Wrong

LONGEST = 500
MOST_TERMS = 20
MOST_VALUES = 20
TERM = re.compile(r'\s*((-?)(?:([A-Za-z_]+)(>=|<=|[:=<>]))?((?:"[^"]*"|[^\s"])*)("?))')
HIDDEN = _lazy("Names are masked for you, so they cannot be asked for.")
VALUE = re.compile(r'"([^"]*)"|([^,"]+)')
# What an index serves, by what the filters of the page call it; the first that is asked counts.
SERVED = {
    "entity": "user",
    "owner": "mine",
    "reason": "reason",
    "level": "level",
    "typology": "suspected",
}


@dataclass(frozen=True)
class Problem:
    """What cannot be read, in a sentence, and from where to where it stands in the text."""

    sentence: str
    start: int
    end: int


@dataclass(frozen=True)
class Term:
    """One word of the search; `field` is empty for a word alone."""

    field: str
    op: str
    values: tuple[tuple[str, int], ...]  # with where each begins
    negated: bool
    start: int
    end: int

    @property
    def alone(self) -> str:
        """Its value, if there is one and it is meant as it stands."""
        return self.values[0][0] if len(self.values) == 1 and not self.negated else ""


@dataclass(frozen=True)
class Query:
    """A search as it was read: what each word asks, or what is wrong with which."""

    text: str
    terms: tuple[Term, ...] = ()
    problems: tuple[Problem, ...] = ()
    conditions: tuple[Q, ...] = ()

    def split(self, asked: Mapping[str, Any]) -> tuple[dict[str, Any], Q | None]:
        """The filters with what an index serves of this search, and what has to be looked through.

        A status and a queue always join the filters, and one more word, unless the page's own
        filters ask such a thing already.
        """
        filters, rest = dict(asked), Q()
        free = not {*SERVED.values()} & {*filters}
        best = min(filter(_serves, self.terms), key=_rank, default=None) if free else None
        for term, condition in zip(self.terms, self.conditions, strict=True):
            if term is best:
                filters |= _as_filter(term)
            elif term.field == "is" and term.alone in STATUS and "status" not in filters:
                filters["status"] = STATUS[term.alone]
            elif term.field == "queue" and term.alone and "queue" not in filters:
                filters["queue"] = term.alone.casefold()
            else:
                rest &= condition
                if term.field == "verdict":
                    filters.setdefault("status", "closed")
        return filters, rest or None


def read(text: str, asker: Asker) -> Query:
    """Read a search. With problems it has no terms: nothing of it is to be used."""
    terms, problems = _terms(text)
    conditions = []
    for term in terms:
        try:
            conditions.append(_condition(term, asker))
        except _Misread as misread:
            problems.append(misread.problem)
    if problems:
        return Query(text, problems=tuple(sorted(problems, key=lambda one: one.start)))
    return Query(text, tuple(terms), (), tuple(conditions))


class _Misread(Exception):
    def __init__(self, sentence: str, start: int, end: int) -> None:
        super().__init__(sentence)
        self.problem = Problem(sentence, start, end)


def _terms(text: str) -> tuple[list[Term], list[Problem]]:
    if len(text) > LONGEST:
        return [], [
            Problem(
                _("A search is at most {longest} characters.").format(longest=LONGEST),
                LONGEST,
                len(text),
            )
        ]
    terms: list[Term] = []
    problems: list[Problem] = []
    for found in TERM.finditer(text):
        start, end = found.span(1)
        if start == end:
            continue
        if found[6]:
            problems.append(Problem(_("This quote is not closed."), end - 1, end))
            continue
        values = tuple(_values(found[5], found.start(5), alone=not found[3]))
        terms.append(Term((found[3] or "").casefold(), found[4] or "", values, bool(found[2]),
                          start, end))  # fmt: skip
    if len(terms) > MOST_TERMS:
        late = terms[MOST_TERMS]
        sentence = _("A search has at most {most_terms} words.").format(most_terms=MOST_TERMS)
        problems.append(Problem(sentence, late.start, terms[-1].end))
    return terms[:MOST_TERMS], problems


def _values(text: str, at: int, *, alone: bool) -> list[tuple[str, int]]:
    """Alternatives behind commas; a word alone is one value, commas and all."""
    if alone and '"' not in text:
        return [(text, at)] if text else []
    pairs = VALUE.finditer(text)
    return [(found[1] if found[1] is not None else found[2], at + found.start()) for found in pairs]


def _condition(term: Term, asker: Asker) -> Q:
    if not term.values or not all(value.strip() for value, _unused in term.values):
        raise _Misread(
            _("{shown} what? A value is missing.").format(shown=_shown(term)), term.start, term.end
        )
    if len(term.values) > MOST_VALUES:
        raise _Misread(
            _("At most {most_values} alternatives.").format(most_values=MOST_VALUES),
            term.start,
            term.end,
        )
    asks = _field_of(term, asker) if term.field else partial(_word, asker=asker)
    found = reduce(or_, [_one(asks, term, value, at) for value, at in term.values])
    return ~found if term.negated else found


def _field_of(term: Term, asker: Asker) -> Callable[[str], Q]:
    """How the field of this term is read; an unknown one is told beside the nearest that is."""
    start = term.start + term.negated
    field = BY_NAME.get(term.field)
    if field is None:
        near = difflib.get_close_matches(term.field, BY_NAME, n=1, cutoff=0.5)
        meant = (
            _("did you mean {near}?").format(near=near[0])
            if near
            else _("there are {by_name}.").format(by_name=", ".join(BY_NAME))
        )
        raise _Misread(
            _("‘{field}’ is no field; {meant}").format(field=term.field, meant=meant),
            start,
            start + len(term.field),
        )
    if not field.compares and term.op not in {":", "="}:
        sentence = _("{name} is not compared: write {name}:{example}.").format(
            name=field.name, example=field.example
        )
        raise _Misread(sentence, start, term.end)
    if field.personal and asker.hidden:
        raise _Misread(HIDDEN, start, term.end)
    return lambda value: field.read(term.op, value, asker)


def _word(value: str, asker: Asker) -> Q:
    if asker.hidden and not ALERT.fullmatch(value):
        raise Wrong(HIDDEN)
    return word(value, asker)


def _one(asks: Callable[[str], Q], term: Term, value: str, at: int) -> Q:
    try:
        return asks(value)
    except Wrong as wrong:
        end = term.end if len(term.values) == 1 else at + len(value)
        raise _Misread(str(wrong), at, end) from wrong


def _shown(term: Term) -> str:
    return f"{term.field}{term.op}" if term.field else "‘-’"


def _serves(term: Term) -> bool:
    """Is it one value that an index finds?"""
    if term.field == "owner":
        return term.alone == "me"
    if term.field == "is":
        return term.alone == "mine"
    return bool(term.alone) and term.field in SERVED and term.op in {":", "="}


def _rank(term: Term) -> int:
    return [*SERVED].index("owner" if term.field == "is" else term.field)


def _as_filter(term: Term) -> dict[str, Any]:
    if term.field in {"owner", "is"}:
        return {"mine": True}
    upper = term.field in {"level", "reason", "typology"}
    return {SERVED[term.field]: term.alone.upper() if upper else term.alone}

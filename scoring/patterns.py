"""Regular expressions of people, used on what strangers send: only those that end soon.

Python's matcher goes back and tries again. With one repeat inside another, or several in a row, a
text of a hundred characters can keep it busy for years, so such patterns are refused when they are
written down (R. Cox, "Regular Expression Matching Can Be Simple And Fast", 2007).
"""

import re
import warnings
from collections.abc import Iterator
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from re import _constants as op  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]

LONGEST = 200
MOST_REPEATS = 2  # without bound, one after the other: 500 characters make 250,000 steps at most
MANY = 100  # a bounded repeat from here on counts as one without bound
REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}


def why_not(pattern: str) -> str:
    """Why this pattern is not taken; empty if it is."""
    if len(pattern) > LONGEST:
        return f"a pattern has at most {LONGEST} characters."
    try:
        re.compile(pattern)
        parsed = _parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return "this is not a regular expression."
    repeats = 0
    for name, inside in _nodes(parsed, within=False):
        if name == op.GROUPREF:
            return "a pattern does not refer to what it matched before."
        if inside:
            return "a repeat inside a repeat can take for ever."
        repeats += 1
    if repeats > MOST_REPEATS:
        return f"at most {MOST_REPEATS} repeats without bound."
    return ""


def _nodes(parsed: Any, *, within: bool) -> Iterator[tuple[Any, bool]]:
    """Each unbounded repeat and back reference, and whatever has ways to choose inside a repeat."""
    for name, value in parsed:
        if name in REPEATS:
            low, high, body = value
            endless = high == op.MAXREPEAT or high >= MANY
            if endless or (within and low != high):
                yield name, within
            yield from _nodes(body, within=within or high > 1)
        elif name == op.BRANCH:
            if within:
                yield name, True  # (a|a)* doubles its ways with every character
            for branch in value[1]:
                yield from _nodes(branch, within=within)
        elif name == op.GROUPREF:
            yield name, within
        else:
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, _parser.SubPattern):
                    yield from _nodes(part, within=within)

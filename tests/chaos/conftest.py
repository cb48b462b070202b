"""Prints, after the tests of chaos, what became of the payments under each nemesis."""

from collections import Counter

import pytest

from tests.chaos.checker import Verdict

HEAD = (
    "nemesis                            acked stored decided alerts  dup  lost  503 files aside"
    "  deaths settled"
)
TABLE: list[str] = []  # one line a nemesis; `lost` are requests that got no answer


def noted(name: str, verdict: Verdict, statuses: Counter[int], deaths: int, seconds: float) -> None:
    """A line of the table; `seconds` until all was settled."""
    TABLE.append(
        f"{name:<34}{verdict.acknowledged:>6}{verdict.stored:>7}{verdict.decided:>8}"
        f"{verdict.alerted:>7}{verdict.duplicates:>5}{statuses[0]:>6}{statuses[503]:>5}"
        f"{verdict.files:>6}{len(verdict.set_aside):>6}{deaths:>8}{seconds:>7.1f} s"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.section("what was acknowledged, and what became of it")
        for line in (HEAD, *TABLE):
            terminalreporter.write_line(line)

"""Prints, after the tests of chaos, what became of the payments under each nemesis."""

import pytest

HEAD = (
    "nemesis                            acked stored decided alerts  dup  lost  503 files aside"
    "  deaths settled"
)
TABLE: list[str] = []  # one line a nemesis; `lost` are requests that got no answer


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.section("what was acknowledged, and what became of it")
        for line in (HEAD, *TABLE):
            terminalreporter.write_line(line)

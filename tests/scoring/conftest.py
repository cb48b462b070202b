"""Every test starts without what this process remembers of the database before."""

from collections.abc import Iterator

import pytest

from scoring import current


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    current.forget()
    yield
    current.forget()

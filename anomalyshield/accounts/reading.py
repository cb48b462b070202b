"""As a person reads: their language and clocks, for what is made while they do not ask."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation

from anomalyshield.accounts.models import User
from anomalyshield.context import read_in


@contextmanager
def as_read_by(reader: User) -> Iterator[None]:
    """Words and times within are theirs; who chose no language is written to in the house's."""
    with translation.override(reader.language or settings.LANGUAGE_CODE), read_in(reader.timezone):
        yield

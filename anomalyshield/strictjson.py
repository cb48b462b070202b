"""The engine's strict reading of JSON as answers of the API: what is refused is a problem."""

from typing import IO, Any

from rest_framework.parsers import BaseParser

from anomalyshield.problems import Problem
from scoring.engine import strictjson
from scoring.engine.strictjson import MAX_BYTES, MAX_DEPTH

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Malformed", "StrictJSONParser", "loads"]


class Malformed(Problem):
    """The body is not JSON as we read it."""

    def __init__(self, code: str, detail: str, pointer: str = "", status: int = 400) -> None:
        super().__init__(status, code, detail, pointer=pointer)


def loads(body: bytes) -> Any:
    """The value of a UTF-8 JSON text; numbers are `int` or `Decimal`. Raises `Malformed`."""
    try:
        return strictjson.loads(body)
    except strictjson.Malformed as bad:
        raise Malformed(bad.code, bad.text, bad.pointer, bad.status) from None


class StrictJSONParser(BaseParser):
    """`loads` for DRF views."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        return loads(stream.read(MAX_BYTES + 1))

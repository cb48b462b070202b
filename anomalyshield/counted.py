"""Requests in chunks, whose length nobody said: Django reads as many bytes as it was told, so none.

Programs of .NET, Node, Go and Java send so when they write a body as they make it.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from gunicorn.http.errors import NoMoreData, ParseException

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]
KEPT = 10 * 2**20 + 1  # one byte more than the doors of JSON take
MOST = 2**40  # of what is read on: the doors for files have a limit of their own


class Rest:
    """What was read already, then what is still to come."""

    def __init__(self, begun: bytes, rest: Any) -> None:
        self.begun, self.rest = BytesIO(begun), rest

    def read(self, size: int = -1) -> bytes:
        return self.begun.read(size) or self._more(self.rest.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self.begun.readline(size) or self._more(self.rest.readline, size)

    def _more(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            return bytes(read(size))
        except (ParseException, NoMoreData) as error:  # Django knows OSErrors as its sender's fault
            raise OSError(f"broken pieces: {error}") from error


def counted(app: App) -> App:
    """The application, told the length of every body."""

    def told(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower().strip() == "chunked"
        if chunked and environ.get("wsgi.input_terminated"):
            try:
                _count(environ)
            except TimeoutError:
                start("408 Request Timeout", [("Content-Length", "0"), ("Connection", "close")])
                return []
        return app(environ, start)

    return told


def _count(environ: dict[str, Any]) -> None:
    source = environ["wsgi.input"]
    begun = source.read(KEPT)
    if len(begun) < KEPT:
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(begun)), BytesIO(begun)
    else:
        environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(MOST), Rest(begun, source)

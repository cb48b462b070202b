"""What is answered where no request came to be: a problem like any other, without any view."""

import json
from http import HTTPStatus

from gunicorn.http import errors

UNREADABLE = {
    errors.LimitRequestLine: (414, "address_too_long", "The address is too long."),
    errors.LimitRequestHeaders: (431, "head_too_large", "The head of the request is too large."),
    errors.ExpectationFailed: (417, "unknown_expectation", "Nothing but 100-continue is expected."),
}
NO_REQUEST = (400, "no_request", "This cannot be read as a request of HTTP.")


def words_for(error: Exception) -> tuple[int, str, str]:
    """Status, code and sentence for what cannot be read as a request."""
    return UNREADABLE.get(type(error), NO_REQUEST)


def told(status: int, code: str, sentence: str) -> bytes:
    """The bytes of a refusal, with which the connection ends (RFC 9457)."""
    from anomalyshield.problems import MEDIA_TYPE, TITLES

    title = TITLES.get(status, "The request was refused")
    said = {"type": f"about:problem/{code}", "title": title, "status": status}
    content = json.dumps({**said, "detail": sentence, "code": code}).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Type: {MEDIA_TYPE}",
        f"Content-Length: {len(content)}", "Connection: close",
        *(["Retry-After: 5"] if status == 503 else []), "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + content

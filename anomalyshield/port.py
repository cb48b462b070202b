"""The port of the pages: where it is, who has it, whether somebody answers there."""

import http.client
import socket
import time

from django.conf import settings

from anomalyshield.programs import CannotStart

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — where we answer, not what we open


def _host() -> str:
    return EVERYWHERE.get(settings.HOST, settings.HOST)


def address() -> str:
    host = f"[{_host()}]" if ":" in _host() else _host()
    return f"http://{host}:{settings.PORT}/"


def problem() -> str:
    """Why the port cannot be listened on, with the cure; empty when it can."""
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.HOST, settings.PORT))
        except OSError as error:
            other = settings.PORT + 1 if settings.PORT > 1023 else 8000
            return (
                f"Port {settings.PORT} on {settings.HOST} cannot be used ({error.strerror}). "
                f"Choose another: make run PORT={other}"
            )
    return ""


def await_free(patience: float) -> None:
    """Raises CannotStart when the port stays taken; gunicorn would say so in a log, later."""
    deadline = time.monotonic() + patience
    while (words := problem()) and time.monotonic() < deadline:
        time.sleep(0.3)
    if words:
        raise CannotStart(words)


def status() -> int:
    """What /health answers with, asked as the TLS proxy would ask; 0 when nobody answers."""
    named = next((host for host in settings.ALLOWED_HOSTS if host[:1] not in "*."), "localhost")
    headers = {"Host": named} | ({"X-Forwarded-Proto": "https"} if settings.HTTPS else {})
    connection = http.client.HTTPConnection(_host(), settings.PORT, timeout=10)
    try:
        connection.request("GET", "/health", headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()

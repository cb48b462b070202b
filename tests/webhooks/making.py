"""Endpoints, and a receiver that listens on this machine and does as it is told."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from anomalyshield.accounts.models import User
from scoring.models import Endpoint
from scoring.webhooks import signing


def endpoint(url: str = "https://upstream.example/hook", **fields: Any) -> Endpoint:
    """An active endpoint for everything, not checked by anybody."""
    salt = signing.new_salt()
    owner, _ = User.objects.get_or_create(username="owner-of-endpoints")
    return Endpoint.objects.create(
        **{
            "name": f"core {Endpoint.objects.count()}",
            "url": url,
            "events": ["decision.updated"],
            "salt": salt,
            "mark": signing.mark_of(salt),
            "made_by": owner,
            **fields,
        }
    )


@dataclass
class Receiver:
    """What it got, and what it answers: a status, headers, or nothing for so many seconds."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    hangs: float = 0
    dribbles: float = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            time.sleep(receiver.hangs)
            if receiver.dribbles:
                self.dribble()
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def dribble(self) -> None:
            for byte in b"HTTP/1.1 200 OK\r\n" * 3:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(receiver.dribbles)

        def log_message(self, *_: Any) -> None: ...

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128  # five, by default: a burst would be refused that nobody means to

        def handle_error(self, *_: Any) -> None: ...  # the other side hung up

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()

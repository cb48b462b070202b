"""One signed POST, and what came of it: no redirects, no proxies, no body read, one deadline."""

import http.client
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from scoring.webhooks.addresses import Refused, Target, checked

DEADLINE = 10.0  # seconds for everything: connecting, TLS, sending, the head of the answer
GRACE = 2.0  # and for a name that takes its time
LONGEST_WAIT = 3600.0
AGENT = "AnomalyShield-Webhooks/1"
FINAL = "Decision-Final"  # "true": the receiver holds what it was told to be final


@dataclass(frozen=True)
class Letter:
    """What is sent where."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What came back, in our words; `status` is None when nobody answered."""

    status: int | None
    said: str
    retry_after: float = 0.0
    final: bool = False
    taken: bool = False  # by a channel that knows no status

    @property
    def delivered(self) -> bool:
        return self.taken or (self.status is not None and 200 <= self.status < 300)

    @property
    def gone(self) -> bool:
        return self.status == 410


def send_all(letters: list[Letter]) -> list[Answer]:
    """All at once, so that one receiver that hangs delays no other. Touches no database."""
    pool = ThreadPoolExecutor(max(len(letters), 1), thread_name_prefix="webhook")
    futures = [pool.submit(send, letter) for letter in letters]
    wait(futures, timeout=DEADLINE + GRACE)
    pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() if future.done() else _late() for future in futures]


def send(letter: Letter) -> Answer:
    """Never raises: whatever goes wrong is an answer in words."""
    try:
        target = checked(letter.url)
    except Refused as refusal:
        return Answer(None, f"refused here: {refusal}"[:200])
    connection = Connection(target)
    watchdog = threading.Timer(DEADLINE, connection.cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        return _exchange(connection, letter)
    except TimeoutError:  # the socket's own clock may run out a moment before the watchdog's
        return _late()
    except Exception as error:
        return _late() if connection.was_cut else Answer(None, _trouble(error))
    finally:
        watchdog.cancel()
        connection.close()


class Connection(http.client.HTTPConnection):
    """To the address that was checked, under the name it was checked for."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=DEADLINE)
        self.default_port = 443 if target.tls else 80  # leaves it out of the Host header
        self.target, self.was_cut = target, False

    def connect(self) -> None:
        self.sock = socket.create_connection((self.target.address, self.port), self.timeout)
        if self.target.tls:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.target.host)

    def cut(self) -> None:
        """A byte a second would keep a socket's own timeout waiting for ever."""
        self.was_cut = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _exchange(connection: Connection, letter: Letter) -> Answer:
    headers = {"Content-Type": "application/json", "User-Agent": AGENT, **letter.headers}
    connection.request("POST", connection.target.path, letter.body, headers)
    response = connection.getresponse()  # the head alone: nobody needs to see what they wrote
    status = response.status
    said = f"answered {status} {http.client.responses.get(status, '')}".strip()
    if 300 <= status < 400:
        said += "; redirects are not followed"
    final = response.headers.get(FINAL, "").strip().lower() in {"true", "1"}
    return Answer(status, said, _seconds(response.headers.get("Retry-After", "")), final)


def _seconds(text: str) -> float:
    text = text.strip()
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdigit() else 0.0


def _late() -> Answer:
    return Answer(None, f"no answer within {DEADLINE:g} seconds")


def _trouble(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"[:200]
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return f"the connection failed: {type(error).__name__}"

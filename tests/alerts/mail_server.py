"""A mail server that speaks SMTP over a real socket, with TLS and a password, for tests alone.

RFC 5321 with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954), as far as a sender needs them.
"""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from tests.certificates import Authority

USER, PASSWORD = "reports", "a mail password"


@dataclass
class Box:
    """What came, how it came, and what is answered instead of "yes"."""

    port: int = 0
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)  # to whom, what
    secret: list[bool] = field(default_factory=list)  # was it said over TLS?
    no: dict[str, str] = field(default_factory=dict)  # by command: the refusal, once


class Talk(socketserver.StreamRequestHandler):
    """One sender's connection."""

    server: Any
    to = ""
    safe = known = False

    def handle(self) -> None:
        self.say("220 mail.test")
        while line := self.rfile.readline().decode().strip():
            command = line.partition(" ")[0].upper()
            if refusal := self.server.box.no.pop(command, ""):
                self.say(refusal)
            elif command == "QUIT":
                return self.say("221 bye")
            else:
                getattr(self, f"do_{command.lower()}", self.unknown)(line)
        return None

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def unknown(self, line: str) -> None:
        self.say("500 what?")

    def do_ehlo(self, line: str) -> None:
        self.say(
            "250-mail.test\r\n250-AUTH PLAIN\r\n250 " + ("8BITMIME", "STARTTLS")[not self.safe]
        )

    def do_starttls(self, line: str) -> None:
        self.say("220 go on")
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.safe = True

    def do_auth(self, line: str) -> None:
        said = base64.b64decode(line.split()[2]).decode().split("\0")[1:]
        self.known = said == [USER, PASSWORD]
        self.say("235 welcome" if self.known else "535 5.7.8 user name or password is wrong")

    def do_mail(self, line: str) -> None:
        self.say("250 ok" if self.known else "530 5.7.0 log in first")

    def do_rcpt(self, line: str) -> None:
        self.to = line.partition("<")[2].rstrip(">")
        self.say("250 ok")

    def do_data(self, line: str) -> None:
        self.say("354 go on")
        lines = iter(self.rfile.readline, b".\r\n")
        text = b"".join(one[1:] if one.startswith(b"..") else one for one in lines)
        letter: Any = message_from_bytes(text, policy=policy.default)
        self.server.box.letters.append((self.to, letter))
        self.server.box.secret.append(self.safe)
        self.say("250 kept")

    def do_rset(self, line: str) -> None:
        self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender who does not believe our certificate hangs up: that is what is tested."""


@contextmanager
def listening(authority: Authority) -> Iterator[Box]:
    """On a free port, with a certificate that this authority signed."""
    with Server(("127.0.0.1", 0), Talk) as server:
        server.box = box = Box(port=server.server_address[1])  # type: ignore[attr-defined]
        server.tls = context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # type: ignore[attr-defined]
        context.load_cert_chain(*authority.issue())
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()

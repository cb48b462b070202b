"""Where nothing is ever sent, however it is written (OWASP API7, SSRF)."""

import socket
from ipaddress import ip_network
from typing import Any

import pytest

from scoring.webhooks import addresses
from scoring.webhooks.sending import Letter, send
from tests.webhooks.making import listening

PUBLIC = "93.184.216.34"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A resolver of our own: name → addresses; a number is what the system makes of it."""
    known: dict[str, list[str]] = {"upstream.example": [PUBLIC]}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host not in known:
            return real(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port))
            for one in known[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


def test_a_public_address_over_tls_is_fine(names):
    target = addresses.checked("https://upstream.example/hook?x=1")
    assert (target.host, target.port, target.path) == ("upstream.example", 443, "/hook?x=1")
    assert target.address == PUBLIC


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/latest/meta-data",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/",
        "https://169.254.169.254/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://0/",
        "https://10.0.0.7/",
        "https://100.64.0.1/",
        "https://[fe80::1%25lo]/",
        "https://[fd00::1]/",
        "https://224.0.0.1/",
        "https://inside.example/",
        "https://inside.example./",
        "https://both.example/",
        "https://unknown.example/",
        "http://upstream.example/",
        "https://upstream.example:22/",
        "https://upstream.example:6379/",
        "https://upstream.example:5432/",
        "https://upstream.example@169.254.169.254/",
        "https://user:word@upstream.example/",
        "file:///etc/passwd",
        "gopher://upstream.example/",
        "ftp://upstream.example/",
        "//upstream.example/",
        "upstream.example",
        "https://",
        "https://upstream.example:port/",
        "https://upstream.example:99999/",
        "https://[::1/",
        "https://up stream.example/",
        "https://upstream.example/\r\nHost: other",
        "https://" + "a" * 70 + ".example/",
        "https://upstream.example/ä",
        "",
    ],
)
def test_these_are_refused_in_words(names, url):
    names["inside.example"] = names["inside.example."] = ["192.168.1.5"]
    names["both.example"] = [PUBLIC, "127.0.0.1"]
    with pytest.raises(addresses.Refused, match=r"\w+ \w+"):
        addresses.checked(url)


def test_an_operator_may_name_a_private_network_and_only_that(names, settings):
    settings.WEBHOOK_NETWORKS = [ip_network("10.1.0.0/16")]
    names["core.bank"], names["other.bank"] = ["10.1.2.3"], ["10.2.0.1"]
    assert addresses.checked("http://core.bank:8080/hook").address == "10.1.2.3"
    with pytest.raises(addresses.Refused, match=r"10\.2\.0\.1, which is not a public address"):
        addresses.checked("http://other.bank:8080/hook")


def test_the_connection_goes_to_the_address_that_was_checked(names, settings, monkeypatch):
    """A name that changes its mind between the check and the connection changes nothing."""
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.1/32")]
    with listening() as checked, listening() as other:
        port = checked.url.split(":")[2].split("/")[0]
        names["core.bank"] = ["127.0.0.1"]
        asked: list[str] = []
        resolve = socket.getaddrinfo

        def rebinding(host: str, *rest: Any, **more: Any) -> list[Any]:
            asked.append(host)
            answer = resolve(host, *rest, **more)
            names["core.bank"] = ["169.254.169.254"]
            return answer

        monkeypatch.setattr(socket, "getaddrinfo", rebinding)
        answer = send(Letter(f"http://core.bank:{port}/hook", {}, b"{}"))
        assert answer.status == 204
        assert [headers["host"] for headers, _ in checked.got] == [f"core.bank:{port}"]
        assert asked.count("core.bank") == 1
        assert other.got == []


def test_at_sending_it_is_checked_again(settings):
    with listening() as private:
        answer = send(Letter(private.url, {}, b"{}"))
    assert (answer.status, private.got) == (None, [])
    assert "127.0.0.1, which is not a public address" in answer.said

"""Where a webhook may go: public addresses over TLS, and private networks an operator named.

Checked when an endpoint is saved and again at each sending; the connection then goes to the very
address that was checked, so a name that changes its mind in between changes nothing.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

Address = IPv4Address | IPv6Address
WEB = {"https": 443, "http": 80}
LOW_PORTS = {80, 443}
# Databases, brokers and control planes that would take a POST for something else.
NEVER = {1433, 2375, 2376, 2379, 3306, 5432, 5672, 6379, 6443, 9092, 9200, 11211, 27017}
NAT64 = IPv6Network("64:ff9b::/96")


class Refused(ValueError):
    """Nothing is sent there; the message says why."""


@dataclass(frozen=True)
class Target:
    """A checked address: `host` is whom TLS must show, `address` is where the connection goes."""

    host: str
    port: int
    path: str
    tls: bool
    address: str


def checked(url: str) -> Target:
    """The target of a URL; raises Refused unless every address of its name may be reached."""
    host, port, path, tls = _parts(url)
    found = _resolved(host, port)
    for address in found:
        if not _reachable(address):
            raise Refused(
                _("{host} is at {address}, which is not a public address").format(
                    host=host, address=address
                )
            )
    inside = all(_named(address) for address in found)
    if not (tls or inside):
        raise Refused(_("use https://; plain http:// is for named private networks only"))
    if not inside and (port in NEVER or (port < 1024 and port not in LOW_PORTS)):
        raise Refused(_("port {port} is not one of a web server").format(port=port))
    return Target(host, port, path, tls, str(found[0]))


def _parts(url: str) -> tuple[str, int, str, bool]:
    if any(character <= " " or character == "\x7f" for character in url):
        raise Refused(_("an address has no spaces and no control characters"))
    try:
        parts = urlsplit(url)
        port, name = parts.port, (parts.hostname or "").rstrip(".")
        host = name if ":" in name else name.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise Refused(_("this is not an address")) from None
    if parts.scheme not in WEB or not host:
        raise Refused(_("an address begins with https:// and a host name"))
    if parts.username is not None or parts.password is not None:
        raise Refused(_("no user name and no password may stand in the address"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise Refused(_("write the path in ASCII, percent-encoded"))
    return host, port or WEB[parts.scheme], path, parts.scheme == "https"


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Refused(_("{host} has no address").format(host=host)) from None
    # A scope (fe80::1%eth0) belongs to this machine; what it qualifies is never public.
    return [ip_address(str(sockaddr[0]).partition("%")[0]) for *_unused, sockaddr in found]


def _reachable(address: Address) -> bool:
    return _named(address) or all(
        one.is_global and not one.is_multicast for one in (address, *_within(address))
    )


def _named(address: Address) -> bool:
    """In a network the operator named; tunnelled addresses count as what they lead to."""
    inner = _within(address)
    return any((inner or [address])[0] in network for network in settings.WEBHOOK_NETWORKS)


def _within(address: Address) -> list[Address]:
    """The IPv4 address an IPv6 one stands for, if any."""
    if isinstance(address, IPv4Address):
        return []
    if address in NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    teredo = address.teredo[1] if address.teredo else None
    return [one for one in (address.ipv4_mapped, address.sixtofour, teredo) if one is not None]

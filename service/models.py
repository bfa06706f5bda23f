"""What a proxy is, for every part of evoproxy: its endpoint, its identity and its credentials."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum

FIELD_LIMIT = 100
"""Longest host, username or password. Evolution answers 201 to a longer one and saves nothing (EVOLUTION.md, 7)."""


class Protocol(StrEnum):
    """Protocols that a pool can hold. Evolution 2.3.7 can use :attr:`HTTP` and :attr:`SOCKS5` only."""

    HTTP = "http"
    HTTPS = "https"
    SOCKS4 = "socks4"
    SOCKS5 = "socks5"


USABLE_PROTOCOLS = frozenset({Protocol.HTTP, Protocol.SOCKS5})

_ALIASES = {"socks": "socks5", "socks5h": "socks5", "socks4a": "socks4"}


def canonical_protocol(text: str) -> Protocol:
    """The protocol that ``text`` names in any case: ``socks`` and ``socks5h`` mean socks5, ``socks4a`` means socks4.

    Raises ``ValueError`` for anything else.
    """
    lowered = text.strip().lower()
    return Protocol(_ALIASES.get(lowered, lowered))


def canonical_host(text: str) -> str:
    """``text`` in lower case; IP literals in their shortest form, IPv6 without brackets. Does not validate."""
    host = text.strip().lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    # An IPv4-mapped IPv6 address is that IPv4 address; Python releases write it differently.
    return str(getattr(address, "ipv4_mapped", None) or address)


def bracketed(host: str) -> str:
    """``host`` as it stands before a port: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def proxy_id(protocol: Protocol, host: str, port: int, username: str) -> str:
    """The identity of an endpoint: 20 hex digits derived from (protocol, host, port, username).

    The caller passes canonical values and the decoded username, so a row in Evolution and a line of a file that
    mean the same endpoint have the same id. The password is no part of it.
    """
    text = "\n".join((protocol, host, str(port), username))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class ProxySpec:
    """One proxy as a source names it: canonical protocol and host, literal (decoded) credentials.

    ``username`` and ``password`` are ``""`` for none. ``expires_at`` is in integer milliseconds UTC.
    ``id`` is the proxy's identity in pool, API, SQL and logs.
    """

    protocol: Protocol
    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    group: str = ""
    labels: tuple[str, ...] = ()
    expires_at: int | None = None

    @property
    def id(self) -> str:
        return proxy_id(self.protocol, self.host, self.port, self.username)

    @property
    def address(self) -> str:
        """``host:port`` for people and logs, IPv6 in brackets; never credentials."""
        return f"{bracketed(self.host)}:{self.port}"

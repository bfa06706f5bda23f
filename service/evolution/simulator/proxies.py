"""What the Evolution API makes of a proxy row: its URL, its decoded credentials, the way a socket goes out."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from service.models import Protocol, ProxySpec, canonical_host, canonical_protocol, proxy_id

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ENDS_USERINFO = frozenset("/?#\\")
_NOT_IN_HOST = frozenset("/?#@\\%:[]<>^|")


class Endpoint(NamedTuple):
    """The way out that a socket took: canonical protocol and host, decoded username. Equal endpoints are one proxy."""

    protocol: Protocol
    host: str
    port: int
    username: str = ""

    @classmethod
    def of(cls, spec: ProxySpec) -> Endpoint:
        return cls(spec.protocol, spec.host, spec.port, spec.username)

    @property
    def id(self) -> str:
        """The id that a pool gives this proxy (:func:`service.models.proxy_id`)."""
        return proxy_id(*self)


class Condition(Enum):
    """What a proxy does. The simulator contacts none: a test says it in ``Simulator.conditions``."""

    ALIVE = "alive"
    DEAD = "dead"
    """Refused, no DNS, bad socks password: Invalid proxy; endless reconnect loop (EVOLUTION.md, B9)."""
    REFUSING = "refusing"
    """Anything but 200 to CONNECT: Invalid proxy; connecting for ever (B10)."""
    SILENT = "silent"
    """Accepts and says nothing: proxy/set never answers (7, B3); connecting for ever (B10)."""
    SAME_EXIT = "same exit"
    """Works, but with the server's own address: Invalid proxy (7, B22)."""


@dataclass(frozen=True, slots=True)
class ProxyRow:
    """One row of Evolution's Proxy table, all text as it was sent. A row that is off holds empty strings."""

    enabled: bool = False
    host: str = ""
    port: str = ""
    protocol: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    id: str = ""
    created_at: str = ""
    updated_at: str = ""

    @classmethod
    def of(cls, spec: ProxySpec) -> ProxyRow:
        """``spec`` with its credentials raw, as an operator types them."""
        return cls(True, spec.host, str(spec.port), spec.protocol.value, spec.username, spec.password)


OFF = ProxyRow()


class UnusableProxyError(ValueError):
    """The row names no URL that the Evolution API can go out through; no proxy was contacted."""


def percent_decode(text: str) -> str:
    """``text`` as JavaScript's decodeURIComponent reads it. Raises ``ValueError`` for a broken escape or bad UTF-8."""
    if _BROKEN_ESCAPE.search(text):
        raise ValueError("broken percent escape")
    return unquote_to_bytes(text).decode()


def exit_of(row: ProxyRow | None, *, protocols: frozenset[str]) -> Endpoint | None:
    """Where a socket with this row goes out; ``None`` is direct. ``protocols``: lower-case names the server knows.

    The row is pasted into ``protocol://user:pass@host:port`` and parsed as a URL, then percent-decoded; credentials
    count only when both are there (EVOLUTION.md, 7). Raises :class:`UnusableProxyError` where that fails.
    """
    if row is None or not row.enabled:
        return None
    if row.protocol.lower() not in protocols:
        raise UnusableProxyError("protocol")
    if not (row.port.isascii() and row.port.isdigit() and 0 < int(row.port) < 65536):
        raise UnusableProxyError("port")
    try:
        if row.host.startswith("[") and row.host.endswith("]"):
            ipaddress.IPv6Address(row.host[1:-1])
        elif not row.host or any(char in _NOT_IN_HOST or char.isspace() for char in row.host):
            raise UnusableProxyError("host")
        username = _username(row)
    except ValueError as error:
        raise UnusableProxyError(str(error)) from None
    return Endpoint(canonical_protocol(row.protocol), canonical_host(row.host), int(row.port), username)


def _username(row: ProxyRow) -> str:
    if not (row.username and row.password):
        return ""
    userinfo = f"{row.username}:{row.password}"
    if not _ENDS_USERINFO.isdisjoint(userinfo):
        raise UnusableProxyError("credentials")
    username, _, password = userinfo.partition(":")
    percent_decode(password)
    return percent_decode(username)

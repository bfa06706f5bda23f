"""The single fields of a proxy: what each may hold, and its canonical form.

Every function raises :class:`LineError` for a value that it refuses.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from urllib.parse import quote

from service.importing.outcomes import LineError
from service.models import FIELD_LIMIT, Protocol, canonical_host, canonical_protocol

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)*(?![0-9]+$){_LABEL}")
_PREFERENCE = (Protocol.HTTP, Protocol.SOCKS5, Protocol.HTTPS, Protocol.SOCKS4)
LATEST_EXPIRY = 253_402_300_799_000
"""Milliseconds UTC: the last second of the year 9999, beyond which there is no RFC 3339 time."""

_NO_EXPIRY = frozenset({"", "-", "0", "n/a", "never", "none", "null", "lifetime", "unlimited"})


def parse_host(text: str) -> str:
    """The canonical form of an IP literal (IPv6 with or without brackets) or of an ASCII host name.

    Underscores are tolerated. Other scripts are refused, because resolvers disagree on their ``xn--`` names.
    """
    if _IPV4.fullmatch(text) or (len(text) <= FIELD_LIMIT and _HOST_NAME.fullmatch(text)):
        return text
    host = canonical_host(text)
    if not host:
        raise LineError("host", "the host is missing")
    if not host.isascii():
        raise LineError("host", "the host name is not ASCII: write it in its xn-- form")
    if len(host) > FIELD_LIMIT:
        raise LineError("too_long", f"the host is over {FIELD_LIMIT} characters; the Evolution API would not save it")
    if is_ipv6(host):
        return host
    host = host.removesuffix(".")
    if not _HOST_NAME.fullmatch(host):
        raise LineError("host", "the host is neither an IP address nor a host name")
    return host


def is_ipv6(text: str) -> bool:
    """Whether ``text`` is an IPv6 literal without brackets and without a zone."""
    try:
        return "%" not in text and bool(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def host_rank(host: str) -> int:
    """How sure it is that a canonical host is one: 2 for an IP literal, 1 for a dotted name, 0 for a bare word."""
    if ":" in host or _IPV4.fullmatch(host):
        return 2
    return 1 if "." in host else 0


def parse_port(text: str) -> int:
    """A port from 1 to 65535, written in ASCII digits."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= (port := int(text)) <= 65535:
        return port
    raise LineError("port", "the port is not a number from 1 to 65535")


def parse_protocol(text: str) -> Protocol:
    """The protocol that ``text`` names; of several (``HTTP/SOCKS5``) the one that the Evolution API uses best."""
    try:
        return canonical_protocol(text)
    except ValueError:
        pass
    try:
        named = {canonical_protocol(word) for word in re.split(r"[^a-z0-9]+", text.lower()) if word not in ("", "s")}
    except ValueError:
        named = set()
    for protocol in _PREFERENCE:
        if protocol in named:
            return protocol
    raise LineError("protocol", "the protocol is none of http, https, socks4 and socks5")


def check_credential(name: str, text: str) -> None:
    """Refuses what can't reach the Evolution API, which gets credentials percent-encoded (EVOLUTION.md, 7)."""
    if text.isascii() and text.isalnum() and len(text) <= FIELD_LIMIT:
        return
    if not text.isprintable():
        raise LineError("unprintable", f"the {name} holds characters that can't be printed")
    if len(quote(text, safe="")) > FIELD_LIMIT:
        raise LineError(
            "too_long",
            f"the {name} is over {FIELD_LIMIT} characters once percent-encoded; the Evolution API would not save it",
        )


def parse_expiry(value: object) -> int | None:
    """Integer milliseconds UTC from an ISO 8601 date or time, or from Unix seconds or milliseconds.

    A time without an offset is UTC and a bare date is its first moment, so that a proxy is never taken for valid
    when it no longer is. None for the words and zeroes that vendors write for "never". Anything else is refused,
    dates such as ``03/04/2026`` above all: nobody can tell the month; so is what lies beyond :data:`LATEST_EXPIRY`.
    """
    text = str(value).strip()
    if text.lower() in _NO_EXPIRY:
        return None
    if re.fullmatch(r"[0-9]{10}(\.[0-9]+)?", text):
        return round(float(text) * 1000)
    if re.fullmatch(r"[0-9]{13}", text):
        return int(text)
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        at = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        if not 0 <= at <= LATEST_EXPIRY:
            raise ValueError
        return at
    except (ValueError, OverflowError):
        raise LineError("expiry", "the expiry is neither an ISO 8601 time nor a Unix time") from None

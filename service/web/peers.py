"""Where a request comes from. What a reverse proxy adds is believed when it comes from the machine itself or a private
network, so behind a proxy on a public address all clients share that address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web


def address_of(request: web.Request) -> str:
    """The client's IP address: the last entry of ``X-Forwarded-For``, which the nearest proxy wrote, where that is
    believed. ``""`` on a unix socket."""
    told = ",".join(request.headers.getall("X-Forwarded-For", [])) if _believed(request) else ""
    found = _parsed(told.rpartition(",")[2].strip()) or _parsed(request.remote)
    return str(found) if found else ""


def neighbourhood(address: str) -> str:
    """What one client may well have to itself: the /64 of an IPv6 address, else the address."""
    return str(ip_network((address, 64), strict=False)) if ":" in address else address


def is_secure(request: web.Request) -> bool:
    """Whether the client speaks TLS, to us or to a proxy that is believed."""
    return request.secure or (_believed(request) and request.headers.get("X-Forwarded-Proto", "").lower() == "https")


def _believed(request: web.Request) -> bool:
    peer = _parsed(request.remote)
    return peer is None or peer.is_loopback or peer.is_private  # None is a unix socket: only who may open the file


def _parsed(text: str | None) -> IPv4Address | IPv6Address | None:
    """An IPv4 address also where a socket for both families spells it ``::ffff:192.0.2.1``; ``None`` for no address."""
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address

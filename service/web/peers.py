"""Where a request comes from. What a reverse proxy adds is believed when it comes from the machine itself or a private
network, so behind a proxy on a public address all clients share that address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from aiohttp import web


def address_of(request: web.Request) -> str:
    """The client's IP address: the last entry of ``X-Forwarded-For``, which the nearest proxy wrote, where that is
    believed. ``""`` on a unix socket."""
    if _believed(request):
        last = ",".join(request.headers.getall("X-Forwarded-For", [])).rpartition(",")[2].strip()
        try:
            return str(ip_address(last))
        except ValueError:
            pass  # none was sent, or it is no address
    return request.remote or ""


def neighbourhood(address: str) -> str:
    """What one client may well have to itself: the /64 of an IPv6 address, else the address."""
    return str(ip_network((address, 64), strict=False)) if ":" in address else address


def is_secure(request: web.Request) -> bool:
    """Whether the client speaks TLS, to us or to a proxy that is believed."""
    return request.secure or (_believed(request) and request.headers.get("X-Forwarded-Proto", "").lower() == "https")


def _believed(request: web.Request) -> bool:
    try:
        peer = ip_address(request.remote or "")
    except ValueError:
        return True  # a unix socket: only who may open the file
    return peer.is_loopback or peer.is_private

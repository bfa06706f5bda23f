"""A proxy for an instance that is about to be created."""

from __future__ import annotations

import uuid

from aiohttp import web

from service.errors import RefusedError
from service.pool.tokens import Role
from service.web.bodies import answer, read_body, read_query
from service.web.context import CONTROLLER, POOL, actor, operation_id
from service.web.models import ProxyOut, Reservation
from service.web.requests import Nothing, ReservationRequest
from service.web.routing import Route


async def reserve(request: web.Request) -> web.Response:
    """The answer holds the password. The same ``Idempotency-Key`` answers the same reservation. In observe mode nobody
    would adopt it, nor take it back: 409."""
    wanted = await read_body(request, ReservationRequest)
    read_query(request, Nothing)
    if request.app[CONTROLLER].server(wanted.server).observe_only:
        raise RefusedError("observe_mode")
    pool, op_id = request.app[POOL], operation_id(request)
    reservation = op_id.removeprefix("http:") if op_id else uuid.uuid4().hex
    proxy_id, _ = await pool.reserve(
        wanted.server,
        wanted.instance,
        reservation=reservation,
        expires_at=pool.clock.now() + wanted.ttl * 1000,
        actor=actor(request),
        pin=wanted.proxy_id or "",
        group=wanted.group or "",
        strict=wanted.group is not None,
        op_id=op_id,
    )
    proxy = await pool.proxy(proxy_id)
    if proxy is None or proxy.lease is None or proxy.lease.reservation != reservation:
        raise RefusedError("stale")
    shown = ProxyOut.of(proxy, password=pool.spec_of(proxy).password)
    made = Reservation(reservation_id=reservation, proxy=shown, expires_at=proxy.lease.expires_at)
    return answer(made, 201)


async def cancel(request: web.Request) -> web.Response:
    read_query(request, Nothing)
    reservation, pool = request.match_info["id"], request.app[POOL]
    for server in request.app[CONTROLLER].servers:
        if await pool.lease_of(server, f"~{reservation}"):
            await pool.expire_reservation(server, reservation, actor=actor(request), cancelled=True)
            return web.Response(status=204)
    raise RefusedError("no_reservation")


ROUTES = [
    Route("POST", "/reservations", Role.ADMIN, reserve, secret=True),
    Route("DELETE", "/reservations/{id}", Role.ADMIN, cancel),
]

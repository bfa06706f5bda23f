"""A proxy for an instance that is about to be created."""

from __future__ import annotations

import uuid

from aiohttp import web

from service.errors import RefusedError
from service.pool.tokens import Role
from service.web.bodies import answer
from service.web.context import CONTROLLER, POOL, actor, operation_id
from service.web.models import ProxyOut, Reservation
from service.web.refusals import CHOICE
from service.web.requests import ReservationRequest
from service.web.routing import Route


async def reserve(request: web.Request, body: ReservationRequest) -> web.Response:
    """The answer holds the password. The same ``Idempotency-Key`` answers the same reservation. In observe mode nobody
    would adopt it, nor take it back: 409."""
    if request.app[CONTROLLER].server(body.server).observe_only:
        raise RefusedError("observe_mode")
    pool, op_id = request.app[POOL], operation_id(request)
    reservation = op_id.removeprefix("http:") if op_id else uuid.uuid4().hex
    proxy_id, _ = await pool.reserve(
        body.server,
        body.instance,
        reservation=reservation,
        expires_at=pool.clock.now() + body.ttl * 1000,
        actor=actor(request),
        pin=body.proxy_id or "",
        group=body.group or "",
        strict=body.group is not None,
        op_id=op_id,
    )
    proxy = await pool.proxy(proxy_id)
    if proxy is None or proxy.lease is None or proxy.lease.reservation != reservation:
        raise RefusedError("stale")
    shown = ProxyOut.of(proxy, password=pool.spec_of(proxy).password)
    made = Reservation(reservation_id=reservation, proxy=shown, expires_at=proxy.lease.expires_at)
    return answer(made, 201)


async def cancel(request: web.Request) -> web.Response:
    reservation, pool = request.match_info["id"], request.app[POOL]
    for server in request.app[CONTROLLER].servers:
        if await pool.lease_of(server, f"~{reservation}"):
            await pool.expire_reservation(server, reservation, actor=actor(request), cancelled=True)
            return web.Response(status=204)
    raise RefusedError("no_reservation")


ROUTES = [
    Route(
        "POST",
        "/reservations",
        Role.ADMIN,
        reserve,
        about="Reserve a proxy for an instance that is about to be created",
        answers={201: Reservation},
        refuses=("observe_mode", "stale", "wrong_encryption_key", *CHOICE),
        secret=True,
    ),
    Route(
        "DELETE",
        "/reservations/{id}",
        Role.ADMIN,
        cancel,
        about="Cancel a reservation",
        answers={204: None},
        refuses=("no_reservation", "not_due"),
    ),
]

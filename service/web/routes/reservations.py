"""A proxy for an instance that is about to be created."""

from __future__ import annotations

from aiohttp import web

from service.errors import RefusedError
from service.pool.tokens import Role
from service.web.bodies import answer, made_id
from service.web.context import CONTROLLER, POOL, actor
from service.web.models import ProxyOut, Reservation
from service.web.refusals import CHOICE
from service.web.requests import ReservationRequest
from service.web.routing import Route


async def reserve(request: web.Request, body: ReservationRequest) -> web.Response:
    """The answer holds the password. The same ``Idempotency-Key`` answers the same reservation while it is open, then
    404 ``no_reservation``. In observe mode nobody would adopt it, nor take it back: 409."""
    if request.app[CONTROLLER].server(body.server).observe_only:
        raise RefusedError("observe_mode")
    pool, reservation = request.app[POOL], await made_id(request)
    proxy_id, _ = await pool.reserve(
        body.server,
        body.instance,
        reservation=reservation,
        expires_at=pool.clock.now() + body.ttl * 1000,
        actor=actor(request),
        pin=body.proxy_id or "",
        group=body.group or "",
        strict=body.group is not None,
        op_id=reservation,
    )
    proxy = await pool.proxy(proxy_id)
    if proxy is None or proxy.lease is None or proxy.lease.reservation != reservation:
        raise RefusedError("no_reservation")
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
        refuses=("observe_mode", "no_reservation", "wrong_encryption_key", *CHOICE),
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

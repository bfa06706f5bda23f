"""Whether the process lives, and whether it can do its work. Open to all, so they tell no more than that."""

from __future__ import annotations

import time

from aiohttp import web

from service.background import Loop
from service.errors import EvolutionError, EvoproxyError, StoreUnavailableError
from service.web.bodies import answer
from service.web.broadcast import BROADCAST
from service.web.context import CONTROLLER, JOBS, MIRROR, POOL
from service.web.jwts import jwt_loops


async def live(request: web.Request) -> web.Response:
    return answer({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """503 without the pool, or when a loop is dead or has long not succeeded for another reason than its server."""
    parts: dict[str, str] = {}
    try:
        await request.app[POOL].epoch()
        parts["pool"] = "ok"
    except StoreUnavailableError as error:
        parts["pool"] = error.code
    dead = parts["pool"] != "ok"
    for loop in (*request.app[CONTROLLER].loops, request.app[JOBS].loop, request.app[BROADCAST].loop):
        parts[loop.name] = _state(loop)
        dead = dead or parts[loop.name] == "dead"
    # Without SQL everything but the audit works, without the keys of JWTs every other login.
    for loop in (*request.app[MIRROR].loops, *jwt_loops(request.app)):
        parts[loop.name] = _state_beside(loop)
    degraded = any(part != "ok" for part in parts.values())
    status = "unavailable" if dead else "degraded" if degraded else "ok"
    return answer({"status": status, "parts": parts}, 503 if dead else 200)


def _state(loop: Loop) -> str:
    """A loop that goes on failing only because its server does is alive."""
    error = loop.last_error if loop.failures else None
    if loop.running and isinstance(error, EvolutionError) and loop.last_error_at is not None:
        recent = time.monotonic() - loop.last_error_at <= 3 * loop.interval + loop.limit
        return error.code if recent else "dead"
    if not loop.healthy():
        return "dead"
    return "failing" if error else "ok"


def _state_beside(loop: Loop) -> str:
    error = loop.last_error if loop.failures else None
    return error.code if isinstance(error, EvoproxyError) else _state(loop)


def add_health(app: web.Application) -> None:
    app.router.add_get("/livez", live)
    app.router.add_get("/readyz", ready)

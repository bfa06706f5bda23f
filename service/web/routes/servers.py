"""The Evolution servers, their brakes, and the pause of the whole pool."""

from __future__ import annotations

from aiohttp import web

from service.control.forgetting import forget_server
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer, read_body, read_query
from service.web.context import CONTROLLER, POOL, SETTINGS, actor, locale, operation_id
from service.web.figures import figures
from service.web.models import Page
from service.web.requests import BrakeRelease, Ignored, Nothing, PageQuery
from service.web.routing import Route


async def listing(request: web.Request) -> web.Response:
    query = read_query(request, PageQuery)
    servers = figures(await request.app[POOL].stats(), request.app[CONTROLLER], locale(request)).servers
    following, shown = paging.cut(servers, lambda server: server.name, cursor=query.cursor, limit=query.limit)
    return answer(Page(items=shown, next_cursor=following, total=len(servers)))


async def ignore(request: web.Request) -> web.Response:
    """Proxies are handed out although this server was never read, or ``{"ignored": false}``: no longer."""
    wanted = await read_body(request, Ignored)
    read_query(request, Nothing)
    name = request.match_info["name"]
    request.app[CONTROLLER].server(name)
    await request.app[POOL].ignore_server(name, ignored=wanted.ignored, actor=actor(request))
    return answer({"name": name, "ignored": wanted.ignored})


async def forget(request: web.Request) -> web.Response:
    """A server that is no longer configured is gone for good: its leases end, and their proxies rest like those of
    deleted instances."""
    await read_body(request, Nothing)
    read_query(request, Nothing)
    name = request.match_info["name"]
    done = await forget_server(
        request.app[POOL],
        name,
        actor=actor(request),
        rest_ms=round(request.app[SETTINGS].orphan_rest * 1000),
        op_id=operation_id(request),
    )
    return answer({"name": name, "leases": done.leases, "instances": done.instances})


async def release_brake(request: web.Request) -> web.Response:
    """Lets go of both halves on every server, or of what the body names; answers the brake as it is then."""
    wanted = await read_body(request, BrakeRelease)
    read_query(request, Nothing)
    controller, pool = request.app[CONTROLLER], request.app[POOL]
    servers = [controller.server(wanted.server).context.server] if wanted.server else list(controller.servers)
    for server in servers:
        for half in (wanted.half,) if wanted.half else ("release", "set"):
            await pool.brake(server, half, engaged=False, reason="by_hand", actor=actor(request))
        controller.look_soon(server)
    return answer(figures(await pool.stats(), controller, locale(request)).brake)


async def pause(request: web.Request) -> web.Response:
    return await _pause(request, paused=True)


async def resume(request: web.Request) -> web.Response:
    return await _pause(request, paused=False)


async def _pause(request: web.Request, *, paused: bool) -> web.Response:
    await read_body(request, Nothing)
    read_query(request, Nothing)
    await request.app[POOL].pause(paused=paused, actor=actor(request))
    return answer({"paused": paused})


ROUTES = [
    Route("GET", "/servers", Role.VIEWER, listing),
    Route("POST", "/servers/{name}/ignore", Role.ADMIN, ignore),
    Route("POST", "/servers/{name}/forget", Role.ADMIN, forget),
    Route("POST", "/brake/release", Role.ADMIN, release_brake),
    Route("POST", "/pause", Role.ADMIN, pause),
    Route("POST", "/resume", Role.ADMIN, resume),
]

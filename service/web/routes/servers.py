"""The Evolution servers, their brakes, and the pause of the whole pool."""

from __future__ import annotations

from aiohttp import web

from service.control.forgetting import forget_server
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer
from service.web.context import CONTROLLER, POOL, SETTINGS, actor, locale, operation_id
from service.web.figures import BrakeOut, ServerOut, figures
from service.web.models import ApiModel, Page
from service.web.requests import BrakeRelease, Ignored, PageQuery
from service.web.routing import Route


class IgnoredOut(ApiModel):
    """Whether proxies are handed out although the server was never read."""

    name: str
    ignored: bool


class ForgottenOut(ApiModel):
    """How many leases ended, and how many instances were forgotten."""

    name: str
    leases: int
    instances: int


class PausedOut(ApiModel):
    """Whether automatic work is held."""

    paused: bool


async def listing(request: web.Request, query: PageQuery) -> web.Response:
    servers = figures(await request.app[POOL].stats(), request.app[CONTROLLER], locale(request)).servers
    following, shown = paging.cut(servers, lambda server: server.name, cursor=query.cursor, limit=query.limit)
    return answer(Page[ServerOut](items=shown, next_cursor=following, total=len(servers)))


async def ignore(request: web.Request, body: Ignored) -> web.Response:
    """Proxies are handed out although this server was never read, or ``{"ignored": false}``: no longer."""
    name = request.match_info["name"]
    request.app[CONTROLLER].server(name)
    await request.app[POOL].ignore_server(name, ignored=body.ignored, actor=actor(request))
    return answer(IgnoredOut(name=name, ignored=body.ignored))


async def forget(request: web.Request) -> web.Response:
    """A server that is no longer configured is gone for good: its leases end, and their proxies rest like those of
    deleted instances."""
    name = request.match_info["name"]
    done = await forget_server(
        request.app[POOL],
        name,
        actor=actor(request),
        rest_ms=round(request.app[SETTINGS].orphan_rest * 1000),
        op_id=operation_id(request),
    )
    return answer(ForgottenOut(name=name, leases=done.leases, instances=done.instances))


async def release_brake(request: web.Request, body: BrakeRelease) -> web.Response:
    """Lets go of both halves on every server, or of what the body names; answers the brake as it is then."""
    controller, pool = request.app[CONTROLLER], request.app[POOL]
    servers = [controller.server(body.server).context.server] if body.server else list(controller.servers)
    for server in servers:
        for half in (body.half,) if body.half else ("release", "set"):
            await pool.brake(server, half, engaged=False, reason="by_hand", actor=actor(request))
        controller.look_soon(server)
    return answer(figures(await pool.stats(), controller, locale(request)).brake)


async def pause(request: web.Request) -> web.Response:
    return await _pause(request, paused=True)


async def resume(request: web.Request) -> web.Response:
    return await _pause(request, paused=False)


async def _pause(request: web.Request, *, paused: bool) -> web.Response:
    await request.app[POOL].pause(paused=paused, actor=actor(request))
    return answer(PausedOut(paused=paused))


ROUTES = [
    Route("GET", "/servers", Role.VIEWER, listing, about="The Evolution servers", answers={200: Page[ServerOut]}),
    Route(
        "POST",
        "/servers/{name}/ignore",
        Role.ADMIN,
        ignore,
        about="Do not wait for a server's first reading",
        answers={200: IgnoredOut},
        refuses=("not_configured",),
    ),
    Route(
        "POST",
        "/servers/{name}/forget",
        Role.ADMIN,
        forget,
        about="Forget a server that is gone for good",
        answers={200: ForgottenOut},
        refuses=("still_configured", "unknown_server"),
    ),
    Route(
        "POST",
        "/brake/release",
        Role.ADMIN,
        release_brake,
        about="Let go of the brakes",
        answers={200: BrakeOut},
        refuses=("not_configured",),
    ),
    Route("POST", "/pause", Role.ADMIN, pause, about="Hold all automatic work", answers={200: PausedOut}),
    Route("POST", "/resume", Role.ADMIN, resume, about="Go on after a pause", answers={200: PausedOut}),
]

"""The instances, and giving and taking their proxies by hand. A name in the path is percent-encoded whole."""

from __future__ import annotations

from aiohttp import web

from service.control import byhand
from service.control.locate import locate
from service.control.server import ServerControl
from service.errors import RefusedError
from service.pool.models import Instance
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer
from service.web.context import CONTROLLER, POOL, actor, operation_id
from service.web.models import InstanceOut, Page, ProxyOut
from service.web.refusals import BY_HAND, CHOICE, LOCATING
from service.web.requests import Choice, InstanceQuery, ReleaseQuery, ServerQuery
from service.web.routing import Route

_ONE = "/instances/{instance:[^/]+}"


async def listing(request: web.Request, query: InstanceQuery) -> web.Response:
    pool = request.app[POOL]
    if query.server is not None:
        request.app[CONTROLLER].server(query.server)
    which = query.list or "instances"
    wanted = query.search()

    async def read(position: str, count: int) -> tuple[str, list[Instance]]:
        return await pool.page_instances(position, count, which)

    cursor, instances = await paging.gather(
        read, lambda instance: instance.position, wanted.meets, cursor=query.cursor, limit=query.limit
    )
    total = None
    if not (query.state or query.server or query.q):
        stats = await pool.stats()
        listed = {"unprotected": stats.unprotected, "unapplied": stats.unapplied, "spent": stats.spent}
        total = {**listed, "external": stats.external}.get(which, stats.instances)
    return answer(
        Page[InstanceOut](items=[InstanceOut.of(instance) for instance in instances], next_cursor=cursor, total=total)
    )


async def one(request: web.Request, query: ServerQuery) -> web.Response:
    """One that was never polled is asked for."""
    name, pool = request.match_info["instance"], request.app[POOL]
    control = await locate(request.app[CONTROLLER], name, query.server)
    server = control.context.server
    instance_id = await pool.instance_id(server, name)
    known = await pool.instance(server, instance_id) if instance_id else None
    if known is not None:
        return answer(InstanceOut.of(known))
    observation = await byhand.look(control.context, name)
    lease = await pool.lease_of(server, observation.id)
    managed = control.context.policy.manages(observation)
    return answer(InstanceOut.seen(observation, pool.clock.now(), lease, managed=managed))


async def assign(request: web.Request, query: ServerQuery, body: Choice) -> web.Response:
    """201 with a new lease, 200 with the one that the instance holds."""
    control, name = await _named(request, query)
    given = await byhand.assign(
        control,
        name,
        actor=actor(request),
        pin=body.proxy_id or "",
        group=body.group,
        op_id=operation_id(request),
    )
    return await _shown(request, given.lease.proxy_id, 201 if given.new else 200)


async def release(request: web.Request, query: ReleaseQuery) -> web.Response:
    """202 while the release waits for its proofs, 200 when it is over."""
    control, name = await _named(request, query)
    held = await byhand.held_by(control, name)
    left = await byhand.release(control, name, actor=actor(request), force=query.force)
    return await _shown(request, held.proxy_id, 202 if left else 200)


async def rotate(request: web.Request, query: ServerQuery, body: Choice) -> web.Response:
    control, name = await _named(request, query)
    lease = await byhand.rotate(
        control,
        name,
        actor=actor(request),
        pin=body.proxy_id or "",
        group=body.group,
        op_id=operation_id(request),
    )
    return await _shown(request, lease.proxy_id, 200)


async def _named(request: web.Request, query: ServerQuery) -> tuple[ServerControl, str]:
    name = request.match_info["instance"]
    return await locate(request.app[CONTROLLER], name, query.server), name


async def _shown(request: web.Request, proxy_id: str, status: int) -> web.Response:
    """The lease as the proxy that it is about."""
    proxy = await request.app[POOL].proxy(proxy_id)
    if proxy is None:
        raise RefusedError("unknown_proxy", proxy=proxy_id)
    return answer(ProxyOut.of(proxy), status)


ROUTES = [
    Route(
        "GET",
        "/instances",
        Role.VIEWER,
        listing,
        about="The instances, by server and name",
        answers={200: Page[InstanceOut]},
        refuses=("not_configured",),
    ),
    Route(
        "GET",
        _ONE,
        Role.VIEWER,
        one,
        about="One instance, by its name",
        answers={200: InstanceOut},
        refuses=LOCATING,
    ),
    Route(
        "POST",
        f"{_ONE}/proxy",
        Role.ADMIN,
        assign,
        about="Give the instance a proxy",
        answers={201: ProxyOut, 200: ProxyOut},
        refuses=(*BY_HAND, *CHOICE),
    ),
    Route(
        "DELETE",
        f"{_ONE}/proxy",
        Role.ADMIN,
        release,
        about="Take the instance's proxy back and leave it unmanaged",
        answers={202: ProxyOut, 200: ProxyOut},
        refuses=BY_HAND,
    ),
    Route(
        "POST",
        f"{_ONE}/proxy/rotate",
        Role.ADMIN,
        rotate,
        about="Give the instance another proxy",
        answers={200: ProxyOut},
        refuses=(*BY_HAND, *CHOICE),
    ),
]

"""The audit trail, and who had which proxy. Both come from SQL, which follows the pool."""

from __future__ import annotations

from aiohttp import web

from service.audit import EventFilter, LedgerFilter
from service.errors import InvalidInputError
from service.pool.stream import EventId
from service.pool.tokens import Role
from service.web import paging
from service.web.audit import AuditPage, EventOut, TenancyOut
from service.web.bodies import answer, read_query
from service.web.context import AUDIT, POOL
from service.web.requests import EventQuery, LedgerQuery
from service.web.routing import Route


async def events(request: web.Request) -> web.Response:
    query = read_query(request, EventQuery)
    since, until = query.bounds()
    wanted = EventFilter(
        query.instance, query.server, query.proxy_id, query.actor, query.type, query.level, since, until
    )
    found = await request.app[AUDIT].events(wanted, before=paging.decode(query.cursor), limit=query.limit)
    return await _page(request, [EventOut.of(event) for event in found.items], found.following, found.position)


async def ledger(request: web.Request) -> web.Response:
    query = read_query(request, LedgerQuery)
    since, until = query.bounds()
    if query.instance is None and query.proxy_id is None:
        raise InvalidInputError(field="instance", reason="instance_or_proxy")
    wanted = LedgerFilter(query.instance, query.proxy_id, query.server, since, until)
    found = await request.app[AUDIT].ledger(wanted, before=paging.decode(query.cursor), limit=query.limit)
    return await _page(request, [TenancyOut.of(one) for one in found.items], found.following, found.position)


async def _page(
    request: web.Request, items: list[EventOut] | list[TenancyOut], following: str | None, position: EventId
) -> web.Response:
    pool = request.app[POOL]
    now = pool.clock.now()
    waiting_since = await pool.waiting_since(position)
    as_of = now if waiting_since is None else waiting_since
    return answer(AuditPage(items=items, next_cursor=paging.encode(following or ""), total=None, as_of=as_of))


ROUTES = [
    Route("GET", "/events", Role.ADMIN, events),
    Route("GET", "/ledger", Role.ADMIN, ledger),
]

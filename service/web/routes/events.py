"""The audit trail, and who had which proxy. Both come from SQL, which follows the pool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web

from service.audit import Events, Ledger, LedgerFilter
from service.errors import InvalidInputError
from service.pool.tokens import Role
from service.web import paging
from service.web.audit import AuditPage, EventOut, TenancyOut
from service.web.bodies import answer
from service.web.context import AUDIT, as_of
from service.web.requests import EventQuery, LedgerQuery
from service.web.routing import Route

T = TypeVar("T")


async def events(request: web.Request, query: EventQuery) -> web.Response:
    found = await request.app[AUDIT].events(query.filter(), before=paging.decode(query.cursor), limit=query.limit)
    return await _page(request, AuditPage[EventOut], map(EventOut.of, found.items), found)


async def ledger(request: web.Request, query: LedgerQuery) -> web.Response:
    since, until = query.bounds()
    if query.instance is None and query.proxy_id is None:
        raise InvalidInputError(field="instance", reason="instance_or_proxy")
    wanted = LedgerFilter(query.instance, query.proxy_id, query.server, since, until)
    found = await request.app[AUDIT].ledger(wanted, before=paging.decode(query.cursor), limit=query.limit)
    return await _page(request, AuditPage[TenancyOut], map(TenancyOut.of, found.items), found)


async def _page(
    request: web.Request, model: type[AuditPage[T]], items: Iterable[T], found: Events | Ledger
) -> web.Response:
    following, told_at = paging.encode(found.following or ""), await as_of(request, found.position)
    return answer(model(items=list(items), next_cursor=following, total=None, as_of=told_at))


ROUTES = [
    Route(
        "GET",
        "/events",
        Role.ADMIN,
        events,
        about="The audit trail, newest first",
        answers={200: AuditPage[EventOut]},
        refuses=("database_refused",),
    ),
    Route(
        "GET",
        "/ledger",
        Role.ADMIN,
        ledger,
        about="Who had which proxy from when to when, newest first",
        answers={200: AuditPage[TenancyOut]},
        refuses=("database_refused",),
    ),
]

"""The proxies of the pool."""

from __future__ import annotations

from aiohttp import web

from service.control import byhand
from service.errors import InvalidInputError, RefusedError
from service.importing.fields import check_credential
from service.importing.outcomes import LineError
from service.pool.models import Phase, Proxy, Status
from service.pool.stats import Stats
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer, read_body, read_query
from service.web.context import CONTROLLER, POOL, actor, operation_id
from service.web.models import Page, ProxyOut
from service.web.problems import ProblemError
from service.web.requests import Change, Force, Nothing, ProxyQuery
from service.web.routing import Route

IMMUTABLE = ("id", "protocol", "host", "port", "username")
"""The identity: another one is another proxy."""


async def listing(request: web.Request) -> web.Response:
    query = read_query(request, ProxyQuery)
    pool = request.app[POOL]
    cursor, proxies = await paging.gather(
        pool.page, lambda proxy: proxy.id, lambda proxy: _wanted(proxy, query), cursor=query.cursor, limit=query.limit
    )
    total = _total(await pool.stats(), query)
    return answer(Page(items=[ProxyOut.of(proxy) for proxy in proxies], next_cursor=cursor, total=total))


async def one(request: web.Request) -> web.Response:
    read_query(request, Nothing)
    return _shown(await _proxy(request))


async def change(request: web.Request) -> web.Response:
    wanted = await read_body(request, Change, immutable=IMMUTABLE)
    if wanted.password is not None:
        try:
            check_credential("password", wanted.password)
        except LineError as error:
            raise InvalidInputError(field="password", reason=error.code) from None
    read_query(request, Nothing)
    await _proxy(request)
    given = wanted.model_fields_set
    expires_at = round(wanted.expires_at.timestamp() * 1000) if wanted.expires_at else None
    await request.app[POOL].update(
        request.match_info["id"],
        actor=actor(request),
        rev=_expected_rev(request),
        group=(wanted.group or "") if "group" in given else None,
        labels=(wanted.labels or []) if "labels" in given else None,
        expires_at=expires_at,
        clear_expiry="expires_at" in given and expires_at is None,
        password=wanted.password,
    )
    return _shown(await _proxy(request))


async def remove(request: web.Request) -> web.Response:
    read_query(request, Nothing)
    await request.app[POOL].remove(request.match_info["id"], actor=actor(request))
    return web.Response(status=204)


async def disable(request: web.Request) -> web.Response:
    """A used one drains: it keeps its instance until that lets go, or with ``force`` the instance gets another now."""
    wanted = await read_body(request, Force)
    force = read_query(request, Force).force or wanted.force
    op_id = operation_id(request)
    await request.app[POOL].disable(request.match_info["id"], reason="by_hand", actor=actor(request), op_id=op_id)
    proxy = await _proxy(request)
    lease = proxy.lease
    if force and lease and not lease.tail and not lease.reservation and lease.phase is not Phase.RELEASING:
        control = request.app[CONTROLLER].server(lease.server)
        await byhand.rotate(control, lease.name, actor=actor(request), op_id=op_id and f"{op_id}:rotate")
        proxy = await _proxy(request)
    return _shown(proxy)


async def enable(request: web.Request) -> web.Response:
    await read_body(request, Nothing)
    read_query(request, Nothing)
    await request.app[POOL].enable(request.match_info["id"], actor=actor(request), op_id=operation_id(request))
    return _shown(await _proxy(request))


async def reveal(request: web.Request) -> web.Response:
    await read_body(request, Nothing)
    read_query(request, Nothing)
    proxy_id = request.match_info["id"]
    password = await request.app[POOL].reveal(proxy_id, actor=actor(request), op_id=operation_id(request))
    return answer(ProxyOut.of(await _proxy(request), password=password))


async def _proxy(request: web.Request) -> Proxy:
    proxy_id = request.match_info["id"]
    proxy = await request.app[POOL].proxy(proxy_id)
    if proxy is None:
        raise RefusedError("unknown_proxy", proxy=proxy_id)
    return proxy


def _shown(proxy: Proxy) -> web.Response:
    return answer(ProxyOut.of(proxy), headers={"ETag": f'"{proxy.rev}"'})


def _expected_rev(request: web.Request) -> str | None:
    """The revision of ``If-Match``; any for ``*`` and without it."""
    given = request.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    rev = given.removeprefix('"').removesuffix('"')
    if not rev.isdecimal():
        raise ProblemError("rev_mismatch")
    return rev


def _wanted(proxy: Proxy, query: ProxyQuery) -> bool:
    if query.status not in (None, proxy.status) or query.protocol not in (None, proxy.protocol):
        return False
    if query.group not in (None, proxy.group):
        return False
    if not query.q:
        return True
    holder = proxy.lease.name if proxy.lease else ""
    texts = (proxy.id, f"{proxy.host}:{proxy.port}", proxy.username, proxy.group, *proxy.labels, holder)
    return any(query.q.casefold() in text.casefold() for text in texts)


def _total(stats: Stats, query: ProxyQuery) -> int | None:
    """The number of matches where the figures tell it."""
    if query.q or query.protocol or (query.status and query.group is not None):
        return None
    if query.group is not None:
        counts = stats.groups.get(query.group)
        return counts.total if counts else 0
    counts = stats.counts
    return {
        None: counts.total,
        Status.FREE: counts.available,
        Status.USED: counts.used,
        Status.COOLING: counts.cooling,
        Status.QUARANTINED: counts.quarantined,
        Status.DISABLED: counts.disabled,
    }[query.status]


ROUTES = [
    Route("GET", "/proxies", Role.VIEWER, listing),
    Route("GET", "/proxies/{id}", Role.VIEWER, one),
    Route("PATCH", "/proxies/{id}", Role.ADMIN, change),
    Route("DELETE", "/proxies/{id}", Role.ADMIN, remove),
    Route("POST", "/proxies/{id}/disable", Role.ADMIN, disable),
    Route("POST", "/proxies/{id}/enable", Role.ADMIN, enable),
    Route("POST", "/proxies/{id}/reveal", Role.SUPERADMIN, reveal, secret=True),
]

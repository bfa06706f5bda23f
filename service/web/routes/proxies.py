"""The proxies of the pool."""

from __future__ import annotations

from aiohttp import web

from service.audit import ProxySearch
from service.control import byhand
from service.errors import RefusedError
from service.pool.models import Proxy, Status
from service.pool.stats import Stats
from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer
from service.web.context import AUDIT, CONTROLLER, POOL, actor, as_of, operation_id
from service.web.models import ProxyOut, ProxyPage
from service.web.problems import ProblemError
from service.web.refusals import BY_HAND, CHOICE
from service.web.requests import Change, Force, ProxyQuery
from service.web.routing import Route

IMMUTABLE = ("id", "protocol", "host", "port", "username")
"""The identity: another one is another proxy."""


async def listing(request: web.Request, query: ProxyQuery) -> web.Response:
    """In the order of ids as they are now; with `q` or `sort`, which Redis has no index for, as SQL finds them."""
    if query.q or query.sort:
        return await _searched(request, query)
    pool = request.app[POOL]
    cursor, proxies = await paging.gather(
        pool.page,
        lambda proxy: proxy.id,
        _search(request, query).meets,
        cursor=query.cursor,
        limit=query.limit,
    )
    total = _total(await pool.stats(), query)
    items = [ProxyOut.of(proxy) for proxy in proxies]
    return answer(ProxyPage(items=items, next_cursor=cursor, total=total, as_of=None))


async def _searched(request: web.Request, query: ProxyQuery) -> web.Response:
    """SQL tells the ids and their order, Redis what they are now."""
    wanted = _search(request, query)
    found = await request.app[AUDIT].search(wanted, after=paging.decode(query.cursor), limit=query.limit)
    now = await request.app[POOL].proxies_at(found.ids)
    items = [ProxyOut.of(proxy) for one in found.ids if (proxy := now.get(one)) and wanted.meets(proxy)]
    return answer(
        ProxyPage(
            items=items,
            next_cursor=paging.encode(found.following or ""),
            total=found.total,
            as_of=await as_of(request, found.position),
        )
    )


async def one(request: web.Request) -> web.Response:
    return _shown(await _proxy(request))


async def change(request: web.Request, body: Change) -> web.Response:
    await _proxy(request)
    proxy_id, rev = request.match_info["id"], _expected_rev(request)
    await request.app[POOL].update(proxy_id, actor=actor(request), rev=rev, **body.changes())
    return _shown(await _proxy(request))


async def remove(request: web.Request) -> web.Response:
    await request.app[POOL].remove(request.match_info["id"], actor=actor(request))
    return web.Response(status=204)


async def disable(request: web.Request, query: Force, body: Force) -> web.Response:
    """A used one drains: it keeps its instance until that lets go, or with ``force`` the instance gets another now."""
    proxy_id, force = request.match_info["id"], query.force or body.force
    op_id = operation_id(request)
    await byhand.disable(request.app[CONTROLLER], proxy_id, actor=actor(request), force=force, op_id=op_id)
    return _shown(await _proxy(request))


async def enable(request: web.Request) -> web.Response:
    await request.app[POOL].enable(request.match_info["id"], actor=actor(request), op_id=operation_id(request))
    return _shown(await _proxy(request))


async def reveal(request: web.Request) -> web.Response:
    """Each time an event, also under the same ``Idempotency-Key``."""
    proxy_id = request.match_info["id"]
    password = await request.app[POOL].reveal(proxy_id, actor=actor(request))
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
    """The revisions of ``If-Match``, one or several (RFC 9110, 13.1.1); any for ``*`` and without it."""
    given = [tag.strip() for line in request.headers.getall("If-Match", ["*"]) for tag in line.split(",")]
    if "*" in given:
        return None
    revs = [rev for tag in given if (rev := tag.strip('"')).isdecimal()]
    if not revs:
        raise ProblemError("rev_mismatch")
    return ",".join(revs)


def _search(request: web.Request, query: ProxyQuery) -> ProxySearch:
    return query.search(request.app[POOL].clock.now(), query.sort or "host")


def _total(stats: Stats, query: ProxyQuery) -> int | None:
    """The number of matches where the figures tell it."""
    if query.protocol or (query.status and query.group is not None):
        return None
    if not (query.server is None and query.label is None and query.expiring is None):
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
    Route(
        "GET",
        "/proxies",
        Role.VIEWER,
        listing,
        about="The proxies",
        answers={200: ProxyPage},
        refuses=("database_refused",),
    ),
    Route(
        "GET",
        "/proxies/{id}",
        Role.VIEWER,
        one,
        about="One proxy",
        answers={200: ProxyOut},
        refuses=("unknown_proxy",),
    ),
    Route(
        "PATCH",
        "/proxies/{id}",
        Role.ADMIN,
        change,
        about="Change what is not the proxy's identity",
        answers={200: ProxyOut},
        refuses=("unknown_proxy", "rev_mismatch", "wrong_encryption_key"),
        immutable=IMMUTABLE,
    ),
    Route(
        "DELETE",
        "/proxies/{id}",
        Role.ADMIN,
        remove,
        about="Remove a proxy that nobody holds",
        answers={204: None},
        refuses=("unknown_proxy", "held"),
    ),
    Route(
        "POST",
        "/proxies/{id}/disable",
        Role.ADMIN,
        disable,
        about="Take a proxy out of use",
        answers={200: ProxyOut},
        refuses=("unknown_proxy", *BY_HAND, *CHOICE),
    ),
    Route(
        "POST",
        "/proxies/{id}/enable",
        Role.ADMIN,
        enable,
        about="Take a proxy into use again",
        answers={200: ProxyOut},
        refuses=("unknown_proxy", "unusable"),
    ),
    Route(
        "POST",
        "/proxies/{id}/reveal",
        Role.SUPERADMIN,
        reveal,
        about="Show a proxy's password",
        answers={200: ProxyOut},
        refuses=("unknown_proxy", "wrong_encryption_key"),
        secret=True,
    ),
]

"""The figures, once and live."""

from __future__ import annotations

import time
from contextlib import aclosing

from aiohttp import web

from service.errors import StoreUnavailableError
from service.pool.tokens import Role
from service.web.auth import still_known
from service.web.bodies import answer
from service.web.broadcast import BROADCAST
from service.web.context import CONTROLLER, MIRROR, POOL, REQUEST_ID, locale
from service.web.figures import StatsOut, figures
from service.web.routing import Media, Route

_RETRY_MS = 3000
_TRUSTED_SECONDS = 10.0
"""A token that is revoked, or a session that is over, gets no figures after so long."""


async def stats(request: web.Request) -> web.Response:
    app = request.app
    now = figures(await app[POOL].stats(), app[CONTROLLER], locale(request), mirror_lag=app[MIRROR].lag)
    return answer(now)


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: ``stats`` with what GET /stats answers, ``unavailable`` while the pool can't be reached."""
    headers = {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request[REQUEST_ID],
    }
    response = web.StreamResponse(headers=headers)
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % _RETRY_MS)
    checked = time.monotonic()
    try:
        async with aclosing(request.app[BROADCAST].listen(locale(request))) as told:
            async for latest in told:
                if latest is None:
                    await response.write(b"event: unavailable\ndata: {}\n\n")
                    continue
                if time.monotonic() - checked >= _TRUSTED_SECONDS:
                    if not await still_known(request):
                        break
                    checked = time.monotonic()
                await response.write(b"event: stats\ndata: %b\n\n" % latest)
        await response.write_eof()
    except StoreUnavailableError:
        await response.write_eof()  # whether the token is still known can't be told: the listener asks anew
    except ConnectionError:
        return response  # the listener has gone
    return response


ROUTES = [
    Route("GET", "/stats", Role.VIEWER, stats, about="Every figure at one instant", answers={200: StatsOut}),
    Route(
        "GET",
        "/stats/stream",
        Role.VIEWER,
        stream,
        about="The figures live",
        answers={200: Media(("text/event-stream",))},
    ),
]

"""The figures, once and live."""

from __future__ import annotations

from aiohttp import web

from service.pool.tokens import Role
from service.web.bodies import answer, read_query
from service.web.broadcast import BROADCAST
from service.web.context import CONTROLLER, POOL, REQUEST_ID, locale
from service.web.figures import figures
from service.web.requests import Nothing
from service.web.routing import Route

_RETRY_MS = 3000


async def stats(request: web.Request) -> web.Response:
    read_query(request, Nothing)
    return answer(figures(await request.app[POOL].stats(), request.app[CONTROLLER], locale(request)))


async def stream(request: web.Request) -> web.StreamResponse:
    """Server-sent events: ``stats`` with what GET /stats answers, ``unavailable`` while the pool can't be reached."""
    read_query(request, Nothing)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Request-Id": request[REQUEST_ID]}
    response = web.StreamResponse(headers=headers)
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % _RETRY_MS)
    try:
        async for latest in request.app[BROADCAST].listen():
            event = b"event: unavailable\ndata: {}\n\n" if latest is None else b"event: stats\ndata: %b\n\n" % latest
            await response.write(event)
    except ConnectionError:
        return response  # the listener has gone
    await response.write_eof()
    return response


ROUTES = [
    Route("GET", "/stats", Role.VIEWER, stats),
    Route("GET", "/stats/stream", Role.VIEWER, stream),
]

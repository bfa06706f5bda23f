"""A POST that is repeated under its ``Idempotency-Key`` is done once and answered the same."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from aiohttp import web

from service.errors import EvoproxyError
from service.web.bodies import digest_of
from service.web.context import POOL, operation_id
from service.web.problems import ProblemError, respond
from service.web.routing import Endpoint, Route, route_of

TURNS: web.AppKey[WeakValueDictionary[str, asyncio.Lock]] = web.AppKey("turns", WeakValueDictionary)
"""By operation. Who repeats what is still under way waits here for its answer; between processes the scripts alone keep
that harmless."""

_REMEMBERED_BYTES = 65536
_KEPT_REFUSALS = frozenset({"evolution_rejected"})
"""Refusals after something was done. After any other nothing was, and asking again is legitimate."""


@web.middleware
async def replay(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """Remembers answers for ten minutes. Raises ``idempotency_key_reused`` when the body is another one.

    Of an answer that holds a secret only the body that it was given for is remembered: the scripts alone keep the
    repetition harmless. A login is no operation: its body is a secret too.
    """
    route = route_of(request)
    if route is None or route.method != "POST" or route.login or (op_id := operation_id(request)) is None:
        return await handler(request)
    async with request.app[TURNS].setdefault(op_id, asyncio.Lock()):
        return await _once(request, handler, op_id, route)


async def _once(request: web.Request, handler: Endpoint, op_id: str, route: Route) -> web.StreamResponse:
    pool, streamed = request.app[POOL], route.streamed
    if kept := await pool.answer_to(op_id):
        digest, *answered = kept
        if digest != await digest_of(request, streamed=streamed):
            raise ProblemError("idempotency_key_reused")
        if answered:
            return _again(*answered)
    try:
        response = await handler(request)
    except EvoproxyError as error:
        if error.code not in _KEPT_REFUSALS:
            raise
        response = respond(request, error)
    if isinstance(response, web.Response) and len(text := response.text or "") <= _REMEMBERED_BYTES:
        answered = [str(response.status), response.content_type, response.headers.get("ETag", ""), text]
        digest = await digest_of(request, streamed=streamed)
        await pool.keep_answer(op_id, digest, *([] if route.secret else answered))
    return response


def _again(status: str, content_type: str, etag: str, text: str) -> web.Response:
    headers = {"Idempotency-Replayed": "true"} | ({"ETag": etag} if etag else {})
    return web.Response(status=int(status), body=text.encode(), content_type=content_type, headers=headers)

"""A POST that is repeated under its ``Idempotency-Key`` is done once and answered the same."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from aiohttp import web

from service.errors import EvoproxyError
from service.web.bodies import digest_of
from service.web.context import POOL, operation_id
from service.web.problems import ProblemError, respond
from service.web.routing import Endpoint, route_of

TURNS: web.AppKey[WeakValueDictionary[str, asyncio.Lock]] = web.AppKey("turns", WeakValueDictionary)
"""By operation. Who repeats what is still under way waits here for its answer; between processes the scripts alone keep
that harmless."""

_REMEMBERED_BYTES = 65536
_KEPT_REFUSALS = frozenset({"evolution_rejected"})
"""Refusals after something was done. After any other nothing was, and asking again is legitimate."""


@web.middleware
async def replay(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """Remembers answers for ten minutes. Raises ``idempotency_key_reused`` when the body is another one.

    What holds a secret is not kept: there the scripts alone keep the repetition harmless.
    """
    route = route_of(request)
    if route is None or route.method != "POST" or route.secret or (op_id := operation_id(request)) is None:
        return await handler(request)
    async with request.app[TURNS].setdefault(op_id, asyncio.Lock()):
        return await _once(request, handler, op_id, streamed=route.streamed)


async def _once(request: web.Request, handler: Endpoint, op_id: str, *, streamed: bool) -> web.StreamResponse:
    pool = request.app[POOL]
    if kept := await pool.answer_to(op_id):
        status, content_type, etag, digest, text = kept
        if digest != await digest_of(request, streamed=streamed):
            raise ProblemError("idempotency_key_reused")
        headers = {"Idempotency-Replayed": "true"} | ({"ETag": etag} if etag else {})
        return web.Response(status=int(status), body=text.encode(), content_type=content_type, headers=headers)
    try:
        response = await handler(request)
    except EvoproxyError as error:
        if error.code not in _KEPT_REFUSALS:
            raise
        response = respond(request, error)
    if isinstance(response, web.Response) and len(text := response.text or "") <= _REMEMBERED_BYTES:
        digest = await digest_of(request, streamed=streamed)
        etag = response.headers.get("ETag", "")
        await pool.keep_answer(op_id, str(response.status), response.content_type, etag, digest, text)
    return response

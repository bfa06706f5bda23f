"""What happens to every request, from outside in: it is traced, its errors told, its caller checked, its repetition
answered."""

from __future__ import annotations

import logging
import re
import time
import uuid

from aiohttp import web

from service.control.webhooks import PATH as WEBHOOKS
from service.errors import EvolutionError, EvoproxyError, StoreUnavailableError
from service.web.auth import authenticate, authorize, bearer, charge
from service.web.bodies import LIMIT, digest_of
from service.web.context import CALLER, POOL, REQUEST_ID, locale, operation_id
from service.web.metrics import METRICS
from service.web.problems import ProblemError, respond
from service.web.routing import API, ROUTES, Endpoint, Route

access = logging.getLogger("service.web.access")
logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_REMEMBERED_BYTES = 65536
_KEPT_REFUSALS = frozenset({"evolution_rejected"})
"""Refusals after something was done. After any other nothing was, and asking again is legitimate."""


@web.middleware
async def trace(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """Gives the request its id, and a line in the log. Webhooks come by the hundred a second: theirs is for debugging,
    and tells nothing of their path, which holds a secret."""
    given = request.headers.get("X-Request-Id", "")
    request[REQUEST_ID] = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    begun = time.monotonic()
    status = 499
    try:
        response = await handler(request)
        status = response.status
        if not response.prepared:
            response.headers["X-Request-Id"] = request[REQUEST_ID]
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
    finally:
        seconds = time.monotonic() - begun
        request.app[METRICS].requested(request, status, seconds)
        webhook = request.path.startswith(WEBHOOKS)
        access.log(
            logging.DEBUG if webhook else logging.INFO,
            "%s %s",
            request.method,
            WEBHOOKS if webhook else request.rel_url.raw_path,
            extra={
                "status": status,
                "ms": round(seconds * 1000),
                "actor": request[CALLER].actor if CALLER in request else "",
                "remote": request.remote,
                "request_id": request[REQUEST_ID],
            },
        )


@web.middleware
async def problems(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """Every error becomes a problem; one that nobody expected is logged with the request's id."""
    try:
        return await handler(request)
    except StoreUnavailableError as error:
        logger.warning("a store is unavailable", extra={"error": str(error), "request_id": request[REQUEST_ID]})
        return _told(request, error)
    except EvolutionError as error:
        logger.warning("an Evolution call failed", extra={"error": str(error), "request_id": request[REQUEST_ID]})
        return _told(request, error)
    except EvoproxyError as error:
        return _told(request, error)
    except web.HTTPRequestEntityTooLarge:
        return _told(request, ProblemError("too_large", limit=request.client_max_size))
    except web.RequestPayloadError:
        return _told(request, ProblemError("malformed", reason="unreadable_body"))
    except web.HTTPMethodNotAllowed as error:
        headers = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return _told(request, ProblemError("method_not_allowed", headers=headers))
    except web.HTTPNotFound:
        return _told(request, ProblemError("unknown_route"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _told(request, ProblemError("malformed", reason=error.reason))
    except Exception:
        logger.exception("a request failed", extra={"request_id": request[REQUEST_ID]})
        return _told(request, EvoproxyError())


def _told(request: web.Request, error: EvoproxyError) -> web.Response:
    return respond(error, request[REQUEST_ID], locale(request))


@web.middleware
async def guard(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """401, 404 of a route, 405, 403, 413 of an announced length, 415, 429: in this order, before the body is read."""
    route = _route_of(request)  # by what the router matched, so that no spelling of a path gets around it
    if route is None and not request.path.startswith(API + "/"):
        return await handler(request)
    in_body = route is not None and route.login and not bearer(request)
    if not in_body:
        await authenticate(request)
    if route is None:
        return await handler(request)  # raises the router's 404 or 405
    if not in_body:
        authorize(request, route.role)
    limit = request.app[LIMIT] if route.streamed else request.client_max_size
    if (request.content_length or 0) > limit:
        raise ProblemError("too_large", limit=limit)
    if request.body_exists and request.content_type not in route.accepts:
        raise ProblemError("unsupported_media_type", reason=", ".join(sorted(route.accepts)))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError("unsupported_encoding")
    left = {} if in_body else charge(request)
    response = await handler(request)
    if not response.prepared:
        response.headers.update(left)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


@web.middleware
async def replay(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """A POST that is repeated under its ``Idempotency-Key`` changes nothing and is answered the same for ten minutes.

    Raises ``idempotency_key_reused`` when the body is another one.
    What holds a secret is not kept: there the scripts alone keep the repetition harmless.
    """
    route = _route_of(request)
    if route is None or route.method != "POST" or route.secret:
        return await handler(request)
    op_id = operation_id(request)
    if op_id is None:
        return await handler(request)
    pool = request.app[POOL]
    if kept := await pool.answer_to(op_id):
        status, content_type, etag, digest, text = kept
        if digest != await digest_of(request, streamed=route.streamed):
            raise ProblemError("idempotency_key_reused")
        headers = {"Idempotency-Replayed": "true"} | ({"ETag": etag} if etag else {})
        return web.Response(status=int(status), body=text.encode(), content_type=content_type, headers=headers)
    try:
        response = await handler(request)
    except EvoproxyError as error:
        if error.code not in _KEPT_REFUSALS:
            raise
        response = _told(request, error)
    if isinstance(response, web.Response) and len(text := response.text or "") <= _REMEMBERED_BYTES:
        digest = await digest_of(request, streamed=route.streamed)
        etag = response.headers.get("ETag", "")
        await pool.keep_answer(op_id, str(response.status), response.content_type, etag, digest, text)
    return response


def _route_of(request: web.Request) -> Route | None:
    return request.app[ROUTES].get(request.match_info.route)


ALL = (trace, problems, guard, replay)

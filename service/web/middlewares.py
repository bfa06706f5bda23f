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
from service.web.auth import authenticate, authorize, bearer, charge, log_in
from service.web.bodies import LIMIT, read_body
from service.web.context import CALLER, REQUEST_ID
from service.web.metrics import METRICS
from service.web.problems import ProblemError, respond
from service.web.replay import replay
from service.web.requests import LoginRequest
from service.web.routing import API, Endpoint, Route, route_of

access = logging.getLogger("service.web.access")
logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


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
        return respond(request, error)
    except EvolutionError as error:
        logger.warning("an Evolution call failed", extra={"error": str(error), "request_id": request[REQUEST_ID]})
        return respond(request, error)
    except EvoproxyError as error:
        return respond(request, error)
    except web.HTTPRequestEntityTooLarge:
        return respond(request, ProblemError("too_large", limit=request.client_max_size))
    except web.RequestPayloadError:
        return respond(request, ProblemError("malformed", reason="unreadable_body"))
    except web.HTTPMethodNotAllowed as error:
        headers = {"Allow": ", ".join(sorted(error.allowed_methods))}
        return respond(request, ProblemError("method_not_allowed", headers=headers))
    except web.HTTPNotFound:
        return respond(request, ProblemError("unknown_route"))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return respond(request, ProblemError("malformed", reason=error.reason))
    except Exception:
        logger.exception("a request failed", extra={"request_id": request[REQUEST_ID]})
        return respond(request, EvoproxyError())


@web.middleware
async def guard(request: web.Request, handler: Endpoint) -> web.StreamResponse:
    """401, 404 of a route, 405, 403, 413 of an announced length, 415, 429: in this order, before the body is read.
    Where only the body tells who is asking, 401 comes after 415."""
    route = route_of(request)  # by what the router matched, so that no spelling of a path gets around it
    if route is None:
        if request.path.startswith(API + "/"):
            await authenticate(request)
        return await handler(request)  # raises the router's 404 or 405
    by_body = route.login and not bearer(request)
    if not by_body:
        await authenticate(request)
        authorize(request, route.role)
    _check_body(request, route)
    if by_body:
        await log_in(request, (await read_body(request, LoginRequest)).token)
        authorize(request, route.role)
    left = charge(request)
    response = await handler(request)
    if not response.prepared:
        response.headers.update(left)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _check_body(request: web.Request, route: Route) -> None:
    """Raises :class:`ProblemError` (too_large, unsupported_media_type, unsupported_encoding) by what is announced."""
    limit = request.app[LIMIT] if route.streamed else request.client_max_size
    if (request.content_length or 0) > limit:
        raise ProblemError("too_large", limit=limit)
    if request.body_exists and request.content_type not in route.accepts:
        raise ProblemError("unsupported_media_type", reason=", ".join(sorted(route.accepts)))
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ProblemError("unsupported_encoding")


ALL = (trace, problems, guard, replay)

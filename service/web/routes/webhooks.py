"""Events of the Evolution servers: each is a hint where to look, answered at once and never believed.

Evolution tries again for minutes after every answer but 2xx, 400, 401, 403, 404 and 422 (EVOLUTION.md, 11), so nothing
that will not be better next time is answered with anything else.
"""

from __future__ import annotations

import hmac
import logging
import time
import warnings
from collections.abc import Callable

import jwt
import orjson
from aiohttp import web
from jwt.types import Options

from service.control.webhooks import PATH
from service.errors import RefusedError
from service.web.auth import bearer
from service.web.bodies import answer
from service.web.context import CONTROLLER, POOL, SETTINGS
from service.web.problems import ProblemError

logger = logging.getLogger(__name__)

_BODY_BYTES = 2 << 20
"""A QR code's picture may make an event a megabyte large."""
_LONGEST_NAME = 255
_LEEWAY = 60
"""Seconds that the clocks of the two servers may differ beyond a JWT's own ten minutes."""
_OPTIONS: Options = {"require": ["exp"], "verify_iat": False}
_TOLD_EVERY = 60.0


class Refusals:
    """Counts refused events: at most one warning a minute tells how many."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told_at: float | None = None
        self._count = 0

    def refused(self, remote: str | None) -> None:
        self._count += 1
        now = self._now()
        if self._told_at is not None and now - self._told_at < _TOLD_EVERY:
            return
        logger.warning("webhook events were refused: wrong secret", extra={"events": self._count, "remote": remote})
        self._told_at, self._count = now, 0


REFUSALS: web.AppKey[Refusals] = web.AppKey("webhook_refusals", Refusals)


async def receive(request: web.Request) -> web.Response:
    """One event. Asks neither Redis nor Evolution before it answers."""
    server, segments = request.match_info["server"], request.match_info["rest"].split("/")
    _authenticate(request, segments[1] if len(segments) > 1 else "")
    controller = request.app[CONTROLLER]
    if server not in controller.hints:
        raise RefusedError("not_configured", server=server)
    name, event = _event_of(await _body(request))
    controller.hints[server].hint(name, event, request.app[POOL].clock.now())
    return answer({})


def _authenticate(request: web.Request, segment: str) -> None:
    """The secret is the path's first segment after the server, or what the bearer token is or was signed with.

    Raises :class:`ProblemError` (webhooks_off, unauthorized).
    """
    setting = request.app[SETTINGS].webhook_secret
    if setting is None:
        raise ProblemError("webhooks_off")
    secret = setting.get_secret_value()
    if _same(segment, secret):
        return
    token = bearer(request)
    if not _same(token, secret) and not _signed(token, secret):
        request.app[REFUSALS].refused(request.remote)
        raise ProblemError("unauthorized")


def _same(text: str, secret: str) -> bool:
    return hmac.compare_digest(text.encode(errors="surrogateescape"), secret.encode())


def _signed(token: str, secret: str) -> bool:
    """Whether ``token`` is a JWT of ``jwt_key`` that has not expired."""
    try:
        with warnings.catch_warnings(action="ignore", category=jwt.InsecureKeyLengthWarning):
            jwt.decode(token, secret, algorithms=["HS256"], leeway=_LEEWAY, options=_OPTIONS)
    except (jwt.PyJWTError, UnicodeEncodeError):  # a header may hold any bytes
        return False
    return True


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    if (request.content_length or 0) <= _BODY_BYTES:
        async for chunk in request.content.iter_chunked(65536):
            body += chunk
            if len(body) > _BODY_BYTES:
                break
        else:
            return bytes(body)
    raise ProblemError("malformed", reason="large_event")


def _event_of(body: bytes) -> tuple[str, str]:
    """The instance's name and the event's, as in ``connection.update``. Raises :class:`ProblemError` (malformed)."""
    try:
        match orjson.loads(body):
            case {"event": str(event), "instance": str(name)} if 0 < len(name) <= _LONGEST_NAME:
                return name, event.lower().replace("_", ".").replace("-", ".")
    except orjson.JSONDecodeError:
        raise ProblemError("malformed", reason="not_json") from None
    raise ProblemError("malformed", reason="no_event")


def add_webhooks(app: web.Application) -> None:
    app[REFUSALS] = Refusals()
    app.router.add_post(PATH + "/{server}{rest:.*}", receive)

"""Who is asking: a token, a JWT, or the session of the dashboard; and what the role allows."""

from __future__ import annotations

import hmac
from contextlib import suppress

from aiohttp import web

from service.errors import StoreUnavailableError
from service.pool.sessions import NOTED_MS, csrf_of
from service.pool.tokens import Role
from service.web.context import CALLER, POOL, Caller
from service.web.jwts import JWTS, looks_like_jwt
from service.web.limits import Logins, Rates
from service.web.peers import address_of, neighbourhood
from service.web.problems import ProblemError

COOKIE = "evoproxy_session"
CSRF_HEADER = "X-CSRF-Token"

LOGINS: web.AppKey[Logins] = web.AppKey("logins", Logins)
RATES: web.AppKey[Rates] = web.AppKey("rates", Rates)

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="evoproxy"'}
_SAFE = frozenset({"GET", "HEAD"})
_UNGUESSABLE = 32
"""Characters of a token that no guessing through HTTP finds, unless it is made of words."""

_LONGEST = 8192
"""Characters of a token or JWT, as many as aiohttp takes in a header."""


async def authenticate(request: web.Request) -> None:
    """Remembers who is asking: the holder of the bearer token, else of the session's cookie.

    Raises :class:`ProblemError` (unauthorized, too_many_logins).
    """
    if text := bearer(request):
        await log_in(request, text)
        return
    caller = await _by_cookie(request)
    if caller is None:  # not counted: nobody guesses 256 bits, and a page whose session ended asks for a while
        raise ProblemError("unauthorized", headers=_CHALLENGE)
    request[CALLER] = caller
    await _note_use(request)


async def log_in(request: web.Request, text: str) -> None:
    """Remembers that the holder of the token or JWT ``text`` is asking. Raises as :func:`authenticate`.

    What nobody can guess never waits: tokens made here, JWTs, and a superadmin's token that people chose long enough.
    An address that has failed too often is not heard with anything shorter for a while.
    """
    logins, address = request.app[LOGINS], neighbourhood(address_of(request))
    wait = logins.wait(address)
    refusal = ProblemError("too_many_logins", headers={"Retry-After": str(int(wait) + 1)})
    if wait and len(text) < _UNGUESSABLE:
        raise refusal
    caller = await _by_secret(request, text)
    if caller is None:
        logins.failed(address)
        raise refusal if wait else ProblemError("unauthorized", headers=_CHALLENGE)
    request[CALLER] = caller
    await _note_use(request)


async def still_known(request: web.Request) -> bool:
    """Whether who was let in would be let in now, with the same role."""
    text = bearer(request)
    caller = await (_by_secret(request, text) if text else _by_cookie(request))
    return caller is not None and caller.role is request[CALLER].role


def authorize(request: web.Request, role: Role) -> None:
    """Raises :class:`ProblemError`: csrf for a write with a cookie that may not have been meant, or forbidden unless
    the caller's role covers ``role``."""
    caller = request[CALLER]
    if caller.csrf is not None and request.method not in _SAFE:
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(sent.encode(errors="surrogateescape"), caller.csrf.encode()):
            raise ProblemError("csrf")
    if not caller.role.covers(role):
        raise ProblemError("forbidden", role=role.value)


def charge(request: web.Request) -> dict[str, str]:
    """Counts the request against its token's limit, if it has one; answers the headers that tell what is left.

    Raises :class:`ProblemError` (too_many_requests).
    """
    caller = request[CALLER]
    if caller.rate_limit is None:
        return {}
    allowance = request.app[RATES].take(caller.actor, caller.rate_limit)
    if not allowance.taken:
        headers = {"Retry-After": str(allowance.wait), **allowance.headers}
        raise ProblemError("too_many_requests", headers=headers, limit=caller.rate_limit)
    return allowance.headers


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, ``""`` without one."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


async def _by_secret(request: web.Request, text: str) -> Caller | None:
    jwts = request.app[JWTS]
    if len(text) > _LONGEST:
        return None
    if jwts is not None and looks_like_jwt(text):
        return await jwts.caller_of(text)
    token = await request.app[POOL].token_of(text)
    return Caller(token.actor, token.role, token.expires_at, token=token) if token else None


async def _by_cookie(request: web.Request) -> Caller | None:
    secret = _cookie(request)
    session = await request.app[POOL].session_of(secret) if secret else None
    if session is None:
        return None
    return Caller(session.actor, session.role, session.expires_at, session=session, csrf=csrf_of(secret))


def _cookie(request: web.Request) -> str:
    """The session's secret, ``""`` without one. Of two, one was planted by a neighbouring host: neither counts."""
    pairs = [pair.strip() for header in request.headers.getall("Cookie", []) for pair in header.split(";")]
    found = {pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == COOKIE}
    return found.pop() if len(found) == 1 else ""


async def _note_use(request: web.Request) -> None:
    """Writes down, at most once a minute, that the token and the session are in use."""
    caller, pool = request[CALLER], request.app[POOL]
    due = pool.clock.now() - NOTED_MS
    with suppress(StoreUnavailableError):  # a Redis that takes no writes just now answers questions all the same
        if caller.session is not None and caller.session.seen_at <= due:
            await pool.seen(token=caller.session.token, session=caller.session.id)
        elif caller.token is not None and (caller.token.last_used_at or 0) <= due:
            await pool.seen(token=caller.token.name)

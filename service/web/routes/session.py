"""Logins to the dashboard: a cookie that scripts can't read stands for the token, and writes bring its CSRF word."""

from __future__ import annotations

from aiohttp import web

from service.pool.sessions import IDLE_MS, csrf_of
from service.pool.tokens import Role
from service.web import paging
from service.web.accounts import MeOut, SessionOut
from service.web.auth import COOKIE
from service.web.bodies import answer
from service.web.context import CALLER, POOL, Caller, actor
from service.web.models import Page
from service.web.peers import address_of, is_secure
from service.web.requests import LoginRequest, PageQuery
from service.web.routing import Route


async def open_(request: web.Request, body: LoginRequest) -> web.Response:
    """The token or JWT of the header, else of the body, opens a session. A cookie opens none: no session prolongs
    itself."""
    pool, caller = request.app[POOL], request[CALLER]
    secret, session = await pool.open_session(
        caller.actor,
        caller.role,
        token=caller.token,
        expires_at=caller.expires_at,
        address=address_of(request),
        agent=request.headers.get("User-Agent", ""),
    )
    now = Caller(session.actor, session.role, session.expires_at, session=session, csrf=csrf_of(secret))
    response = answer(_shown(now), 201)
    seconds = (session.expires_at - session.created_at) // 1000
    response.set_cookie(
        COOKIE, secret, max_age=seconds, path="/", secure=is_secure(request), httponly=True, samesite="Strict"
    )
    return response


async def me(request: web.Request) -> web.Response:
    return answer(_shown(request[CALLER]))


async def log_out(request: web.Request) -> web.Response:
    """Ends the session and clears its cookie; whoever asks without a session has none to end."""
    if session := request[CALLER].session:
        await request.app[POOL].end_session(session.id, reason="logout", actor=actor(request))
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/", secure=is_secure(request), httponly=True, samesite="Strict")
    return response


async def listing(request: web.Request, query: PageQuery) -> web.Response:
    """The first to end come first."""
    pool = request.app[POOL]
    ends = await pool.sessions()
    following, shown = paging.cut(ends, lambda one: f"{ends[one]:015}{one}", cursor=query.cursor, limit=query.limit)
    asking = request[CALLER].session
    items = [
        SessionOut.of(one, current=asking is not None and one.id == asking.id) for one in await pool.sessions_by(shown)
    ]
    return answer(Page[SessionOut](items=items, next_cursor=following, total=None))


async def end(request: web.Request) -> web.Response:
    await request.app[POOL].end_session(request.match_info["id"], reason="ended", actor=actor(request))
    return web.Response(status=204)


def _shown(caller: Caller) -> MeOut:
    return MeOut(
        actor=caller.actor,
        role=caller.role,
        csrf=caller.csrf,
        expires_at=caller.expires_at,
        idle_seconds=IDLE_MS // 1000 if caller.session else None,
    )


ROUTES = [
    Route(
        "POST",
        "/session",
        Role.VIEWER,
        open_,
        about="Log in to the dashboard",
        answers={201: MeOut},
        refuses=("unknown_token",),
        secret=True,
        login=True,
    ),
    Route("GET", "/session", Role.VIEWER, me, about="Who is asking", answers={200: MeOut}),
    Route(
        "DELETE",
        "/session",
        Role.VIEWER,
        log_out,
        about="Log out of the dashboard",
        answers={204: None},
        refuses=("unknown_session",),
    ),
    Route("GET", "/sessions", Role.SUPERADMIN, listing, about="Open sessions", answers={200: Page[SessionOut]}),
    Route(
        "DELETE",
        "/sessions/{id}",
        Role.SUPERADMIN,
        end,
        about="End somebody's session",
        answers={204: None},
        refuses=("unknown_session",),
    ),
]

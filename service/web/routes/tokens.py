"""Who may use the service."""

from __future__ import annotations

from aiohttp import web

from service.pool.tokens import Role
from service.web import paging
from service.web.bodies import answer, read_body, read_query
from service.web.context import POOL, actor
from service.web.models import Page, TokenOut
from service.web.requests import Nothing, PageQuery, TokenRequest
from service.web.routing import Route


async def listing(request: web.Request) -> web.Response:
    query = read_query(request, PageQuery)
    tokens = await request.app[POOL].tokens()
    following, shown = paging.cut(tokens, lambda token: token.name, cursor=query.cursor, limit=query.limit)
    return answer(Page(items=[TokenOut.of(token) for token in shown], next_cursor=following, total=len(tokens)))


async def create(request: web.Request) -> web.Response:
    """The token's text is in this answer and nowhere else; a repetition is refused ``token_exists``."""
    wanted = await read_body(request, TokenRequest)
    read_query(request, Nothing)
    pool = request.app[POOL]
    text = await pool.create_token(wanted.name, wanted.role, actor=actor(request))
    made = TokenOut(id=wanted.name, name=wanted.name, role=wanted.role, created_at=pool.clock.now(), token=text)
    return answer(made, 201)


async def revoke(request: web.Request) -> web.Response:
    read_query(request, Nothing)
    await request.app[POOL].revoke_token(request.match_info["id"], actor=actor(request))
    return web.Response(status=204)


ROUTES = [
    Route("GET", "/tokens", Role.SUPERADMIN, listing),
    Route("POST", "/tokens", Role.SUPERADMIN, create, secret=True),
    Route("DELETE", "/tokens/{id}", Role.SUPERADMIN, revoke),
]

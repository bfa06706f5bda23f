"""Who may use the service."""

from __future__ import annotations

from aiohttp import web

from service.pool.tokens import Role, Token
from service.web import paging
from service.web.accounts import TokenOut
from service.web.bodies import answer
from service.web.context import POOL, actor
from service.web.models import Page
from service.web.requests import PageQuery, TokenRequest
from service.web.routing import Route


async def listing(request: web.Request, query: PageQuery) -> web.Response:
    tokens = await request.app[POOL].tokens()
    following, shown = paging.cut(tokens, lambda token: token.name, cursor=query.cursor, limit=query.limit)
    return answer(
        Page[TokenOut](items=[TokenOut.of(token) for token in shown], next_cursor=following, total=len(tokens))
    )


async def create(request: web.Request, body: TokenRequest) -> web.Response:
    """The token's text is in this answer and nowhere else; a repetition is refused ``token_exists``."""
    pool = request.app[POOL]
    expires_at = round(body.expires_at.timestamp() * 1000) if body.expires_at else None
    text = await pool.create_token(
        body.name, body.role, expires_at=expires_at, rate_limit=body.rate_limit, actor=actor(request)
    )
    token = Token(body.name, body.role, pool.clock.now(), expires_at, body.rate_limit)
    return answer(TokenOut.of(token).model_copy(update={"token": text}), 201)


async def revoke(request: web.Request) -> web.Response:
    await request.app[POOL].revoke_token(request.match_info["id"], actor=actor(request))
    return web.Response(status=204)


ROUTES = [
    Route("GET", "/tokens", Role.SUPERADMIN, listing, about="Tokens", answers={200: Page[TokenOut]}),
    Route(
        "POST",
        "/tokens",
        Role.SUPERADMIN,
        create,
        about="Make a token, which is shown this once",
        answers={201: TokenOut},
        refuses=("token_exists",),
        secret=True,
    ),
    Route(
        "DELETE",
        "/tokens/{id}",
        Role.SUPERADMIN,
        revoke,
        about="End a token and its sessions",
        answers={204: None},
        refuses=("unknown_token",),
    ),
]

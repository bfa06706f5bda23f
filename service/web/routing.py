"""A route says all that is common about it where it is declared: who may call it and what it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from service.pool.tokens import Role

API = "/api/v1"

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON = frozenset({"application/json"})


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is below :data:`API`. ``accepts``: media types of its body. ``secret``: its answer holds one and is
    never kept for a replay. ``streamed``: its body is read piece by piece and may be as large as an import."""

    method: str
    path: str
    role: Role
    endpoint: Endpoint
    accepts: frozenset[str] = JSON
    secret: bool = False
    streamed: bool = False


ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes", dict)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    known = app.setdefault(ROUTES, {})
    for route in routes:
        known[app.router.add_route(route.method, API + route.path, route.endpoint)] = route

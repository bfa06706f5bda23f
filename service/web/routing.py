"""A route says once what it takes and gives: its requests are checked by that, and OpenAPI is written from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_type_hints

from aiohttp import web
from pydantic import BaseModel

from service.pool.tokens import Role
from service.web.bodies import read_body, read_query
from service.web.requests import Nothing

API = "/api/v1"

Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON = frozenset({"application/json"})


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no JSON document of ours, by its media types."""

    types: tuple[str, ...]


Answer: TypeAlias = type[BaseModel] | Media | None


@dataclass(frozen=True, slots=True)
class Route:
    """``path`` is below :data:`API`; ``about`` says in a few words what it does.

    ``endpoint`` is called with the request and, where its signature has them, with ``query`` and ``body``, checked by
    the models that they are annotated with; what it does not name has to be empty. ``answers`` are what it gives by
    status, ``refuses`` the codes of its own, beside those that many routes share (:mod:`service.web.refusals`).
    ``immutable``: fields that no body may name. ``accepts``: media types of its body. ``secret``: its answer holds one
    and is never kept for a replay. ``streamed``: the endpoint reads the body piece by piece, and it may be as large as
    an import. ``login``: the token may come in its body (:class:`service.web.requests.LoginRequest`).
    """

    method: str
    path: str
    role: Role
    endpoint: Callable[..., Awaitable[web.StreamResponse]]
    about: str
    answers: Mapping[int, Answer]
    refuses: tuple[str, ...] = ()
    immutable: tuple[str, ...] = ()
    accepts: frozenset[str] = JSON
    secret: bool = False
    streamed: bool = False
    login: bool = False

    @property
    def query(self) -> type[BaseModel]:
        return self._taken("query")

    @property
    def body(self) -> type[BaseModel] | None:
        """``None`` where none is read as a whole."""
        return None if self.streamed or self.method in ("GET", "DELETE") else self._taken("body")

    def _taken(self, name: str) -> type[BaseModel]:
        model: type[BaseModel] = get_type_hints(self.endpoint).get(name, Nothing)
        return model


ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("routes", dict)


def route_of(request: web.Request) -> Route | None:
    """The one that the router matched, if it is one of ours."""
    return request.app[ROUTES].get(request.match_info.route)


def add_routes(app: web.Application, routes: Iterable[Route]) -> None:
    known = app.setdefault(ROUTES, {})
    for route in routes:
        known[app.router.add_route(route.method, API + route.path, checked(route))] = route


def checked(route: Route) -> Endpoint:
    """The endpoint behind the checks of what it takes: 400 for the body, then 422 for body and query."""
    body, query = route.body, route.query
    named = get_type_hints(route.endpoint).keys() & {"query", "body"}

    async def endpoint(request: web.Request) -> web.StreamResponse:
        taken: dict[str, BaseModel] = {}
        if body is not None:
            taken["body"] = await read_body(request, body, immutable=route.immutable)
        taken["query"] = read_query(request, query)
        return await route.endpoint(request, **{name: taken[name] for name in named})

    return endpoint

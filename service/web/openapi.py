"""The API described for programs: OpenAPI 3.1, from the routes and the models that check them."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, Literal

import orjson
from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service import __version__, messages
from service.pool.tokens import Role
from service.web import routes
from service.web.auth import COOKIE, CSRF_HEADER
from service.web.beside import TAG, beside
from service.web.examples import example_of
from service.web.problems import Problem, status_of
from service.web.refusals import refusals
from service.web.routing import API, Media, Route

_REFS = "#/components/schemas/"
_ROLES = {
    Role.VIEWER: "Any role may.",
    Role.ADMIN: "Needs the role admin or superadmin.",
    Role.SUPERADMIN: "Needs the role superadmin.",
}
_ABOUT = """One proxy for every WhatsApp instance of an Evolution API server.

Send a token as `Authorization: Bearer`. The dashboard sends its session's cookie, and with each write the session's
word as `X-CSRF-Token`. Times are RFC 3339 in UTC. Lists answer a page and `nextCursor`, which asks for the next one.
A refusal is a problem of RFC 9457 with a `code` for programs, in pt-BR or English by `Accept-Language`; its `requestId`
stands in the log. A POST that is repeated within ten minutes under its `Idempotency-Key` changes nothing and is
answered the same, and with another body refused: 409 `idempotency_key_reused`. A new token is not shown twice:
409 `token_exists`."""

Document = dict[str, Any]
Mode = Literal["validation", "serialization"]


def add_openapi(app: web.Application) -> None:
    """GET /openapi.json, open to all: it tells what stands in the documentation."""
    app.router.add_get("/openapi.json", _serve)


async def _serve(request: web.Request) -> web.Response:
    return web.Response(body=_written(), content_type="application/json", headers={"Cache-Control": "no-cache"})


@cache
def _written() -> bytes:
    return orjson.dumps(document(routes.ALL))


def document(declared: Iterable[Route]) -> Document:
    """The description of all ``declared`` routes, with every answer that they can give."""
    declared = list(declared)
    schemas = _Schemas(declared)
    problems = _Problems(schemas)
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in declared:
        paths[API + _plain(route.path)][route.method.lower()] = _operation(route, schemas, problems)
    tags = {_tag(route): inspect.getmodule(route.endpoint) for route in declared}
    return {
        "openapi": "3.1.0",
        "info": {"title": "evoproxy", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [*({"name": name, "description": _prose(inspect.getdoc(one))} for name, one in tags.items()), TAG],
        "paths": paths | beside(),
        "components": {
            "schemas": schemas.referred([paths, problems.all]),
            "responses": problems.all,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token made here, or a JWT."},
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
        },
    }


class _Schemas:
    """The JSON schemas of the models that routes name: as they are taken, and as they are given."""

    def __init__(self, declared: Iterable[Route]) -> None:
        pairs: dict[tuple[type[BaseModel], Mode], None] = {(Problem, "serialization"): None}
        for route in declared:
            pairs[route.query, "validation"] = None
            if route.body is not None:
                pairs[route.body, "validation"] = None
            for given in route.answers.values():
                if isinstance(given, type):
                    pairs[given, "serialization"] = None
        self._refs, top = models_json_schema(list(pairs), ref_template=_REFS + "{model}")
        self.all: Mapping[str, Any] = top["$defs"]
        for schema in self.all.values():
            schema.pop("title", None)
            if "description" in schema:
                schema["description"] = _prose(schema["description"])
            for one in schema.get("properties", {}).values():
                one.pop("title", None)

    def ref(self, model: type[BaseModel], mode: Mode) -> Document:
        return {"$ref": self._refs[model, mode]["$ref"]}

    def of(self, model: type[BaseModel], mode: Mode) -> Document:
        schema: Document = self.all[self._refs[model, mode]["$ref"].removeprefix(_REFS)]
        return schema

    def referred(self, parts: object) -> Document:
        """Those that ``parts`` refer to, and those that these refer to."""
        found: Document = {}
        waiting = list(_refs_in(parts))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.all[name]
                waiting += _refs_in(self.all[name])
        return dict(sorted(found.items()))


class _Problems:
    """The answers that refuse. Many routes share one, which is described once, under its status and a number."""

    def __init__(self, schemas: _Schemas) -> None:
        self.all: Document = {}
        self._schema = schemas.ref(Problem, "serialization")
        self._names: dict[tuple[str, ...], str] = {}

    def ref(self, status: int, codes: Sequence[str]) -> Document:
        if (name := self._names.get(tuple(codes))) is None:
            name = f"{status}.{sum(one.startswith(str(status)) for one in self.all) + 1}"
            self._names[tuple(codes)] = name
            self.all[name] = self._problem(status, codes)
        return {"$ref": "#/components/responses/" + name}

    def _problem(self, status: int, codes: Sequence[str]) -> Document:
        schema = {"allOf": [self._schema, {"properties": {"code": {"enum": codes}}}]}
        example = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": codes[0],
            "detail": messages.text(codes[0], "en"),
            "requestId": "8c1f0e0a5b7c4c0c9d0a5b7c4c0c9d0a",
        }
        answer: Document = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {"application/problem+json": {"schema": schema, "example": example}},
        }
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
        return answer


def _refs_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name != "$ref":
                yield from _refs_in(one)
            elif one.startswith(_REFS):
                yield one.removeprefix(_REFS)
    elif isinstance(value, list):
        for one in value:
            yield from _refs_in(one)


def _operation(route: Route, schemas: _Schemas, problems: _Problems) -> Document:
    said: Document = {
        "tags": [_tag(route)],
        "operationId": f"{_tag(route)}_{getattr(route.endpoint, '__name__', '')}".rstrip("_"),
        "summary": route.about,
        "description": "\n\n".join(filter(None, (_prose(inspect.getdoc(route.endpoint)), _ROLES[route.role]))),
        "parameters": _parameters(route, schemas),
        "responses": _given(route, schemas) | _refused(route, problems),
        "security": _security(route),
    }
    if route.streamed:
        said["requestBody"] = {"content": {one: {"schema": {"type": "string"}} for one in sorted(route.accepts)}}
    elif route.body is not None and (schema := schemas.of(route.body, "validation")).get("properties"):
        body = {"schema": schemas.ref(route.body, "validation"), "example": example_of(schema, schemas.all)}
        said["requestBody"] = {"content": {"application/json": body}, "required": bool(schema.get("required"))}
    return said


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.login:
        return [{}, {"token": []}]
    return [{"token": []}, {"session": []} if route.method == "GET" else {"session": [], "csrf": []}]


def _parameters(route: Route, schemas: _Schemas) -> list[Document]:
    text = {"type": "string", "minLength": 1}
    named = [part.strip("{}").partition(":")[0] for part in route.path.split("/") if part.startswith("{")]
    found: list[Document] = [{"in": "path", "name": name, "required": True, "schema": text} for name in named]
    schema = schemas.of(route.query, "validation")
    for name, one in schema.get("properties", {}).items():
        found.append(
            {"in": "query", "name": name, "required": name in schema.get("required", ()), "schema": _not_null(one)}
        )
    if route.method == "POST" and not route.login:
        found.append({"in": "header", "name": "Idempotency-Key", "required": False, "schema": {"type": "string"}})
    if route.method == "PATCH":
        about = "The ETag of what the change was made from"
        found.append({"in": "header", "name": "If-Match", "description": about, "schema": {"type": "string"}})
    return found


def _not_null(schema: Document) -> Document:
    """A parameter is left out instead."""
    others = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default") or not others}
    return {**kept, **(others[0] if len(others) == 1 else {"anyOf": others})} if others else schema


def _given(route: Route, schemas: _Schemas) -> Document:
    found: Document = {}
    for status, model in route.answers.items():
        answer: Document = {"description": HTTPStatus(status).phrase}
        if isinstance(model, Media):
            answer["content"] = {one: {} for one in model.types}
        elif model is not None:
            shown = example_of(schemas.of(model, "serialization"), schemas.all)
            answer["content"] = {"application/json": {"schema": schemas.ref(model, "serialization"), "example": shown}}
        found[str(status)] = answer
    return found


def _refused(route: Route, problems: _Problems) -> Document:
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in sorted(refusals(route)):
        by_status[status_of(code)].append(code)
    return {str(status): problems.ref(status, by_status[status]) for status in sorted(by_status)}


def _plain(path: str) -> str:
    """``{instance}`` of ``{instance:[^/]+}``."""
    return path.replace(":[^/]+", "")


def _tag(route: Route) -> str:
    return route.endpoint.__module__.rpartition(".")[2]


def _prose(docstring: str | None) -> str:
    return (docstring or "").replace("``", "`")

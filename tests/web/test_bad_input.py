"""Every write with each of its fields wrong in each way, and every question too: refused by name, and nothing changes.

What is asked follows from the routes as they are declared; a new kind of thing or a body with new required fields
needs a row in ``Scene.things`` or ``COMPLETE``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jsonschema_rs
import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from service.evolution.simulator import Simulator
from service.pool.tokens import Role
from service.web import routes
from service.web.requests import LoginRequest
from service.web.routing import Route
from tests.lua.invariants import dump
from tests.web.api import Answer, Api
from tests.web.conftest import serving, settings_for
from tests.web.logins import log_in

JSON = {"Content-Type": "application/json"}
COMPLETE: dict[str, dict[str, Any]] = {
    "POST /reservations": {"server": "a", "instance": "new"},
    "POST /proxies/bulk": {"action": "disable", "ids": ["none"]},
    "POST /instances/bulk": {"action": "assign", "names": ["none"]},
    "POST /tokens": {"name": "new", "role": "viewer"},
}
"""A body with its required fields; other routes take an empty one."""

HOSTILE: list[Any] = ["x" * 300, "a\0b", "a\x1bb", ["\0"], ["x" * 300]]
VALUES = [
    None,
    True,
    5,
    -1,
    1.5,
    10**30,
    "",
    "no such thing",
    "\n",
    [],
    [[]],
    [5],
    [str(n) for n in range(1000)],
    {},
    {"a": 1},
    *HOSTILE,
]
NESTED = [b"[" * 5000, b"[" * 300 + b"]" * 300]
"""The second is read by orjson, but not written."""
DOCUMENTS = [b"[]", b"5", b"null", b'"x"', b"true", b"{", b"\0", b"{}{}", b"\xff", *NESTED, b'{"a": "\\ud800"}']
NAMES = ["%00", "%0A", "%FF", "%ED%A0%80", "%2E%2E%2F", "*", "x" * 3000, "%F0%9F%99%82", "~", "a%2Fone"]
TEXTS = ["%00", "%FF", "%ED%A0%80", "-1", "10000000000000000000000", "1e400", "NaN", "%27", "x" * 3000]
REFUSED = {400, 404, 409, 422}


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


ALL = [route for route in routes.ALL if route.path != "/stats/stream"]


@dataclass
class Scene:
    """One thing of each kind, and a service that does nothing by itself."""

    api: Api
    things: dict[str, str]

    async def ask(self, route: Route, query: str = "", body: bytes | None = None, thing: str | None = None) -> Answer:
        """As the superadmin; about ``thing``, or the one of the route's kind that is there."""
        path = route.path.replace(":[^/]+", "")
        for kind, name in self.things.items():
            for slot in ("id", "name", "instance"):
                path = path.replace(f"/{kind}/{{{slot}}}", f"/{kind}/{name if thing is None else thing}")
        assert "{" not in path, f"nothing is there for {label(route)}"
        headers = JSON if body is not None else None
        return await self.api.call(route.method, path + query, data=body, role=Role.SUPERADMIN, headers=headers)

    async def state(self) -> dict[str, Any]:
        """All that Redis holds, but for what was heard of whom when, how far the mirror is, and what a repetition is
        told by."""
        found = await dump(self.api.pool.redis, self.api.pool.keys.named(""))
        for name, value in found.items():
            if name == "meta" or name.startswith("instance:"):
                found[name] = {field: value[field] for field in value if field not in ("mirrored", "seen_at")}
        return {name: value for name, value in found.items() if not name.startswith(("op:", "token_uses"))}

    @asynccontextmanager
    async def unchanged(self, route: Route) -> AsyncIterator[None]:
        before = await self.state()
        yield
        after = await self.state()
        changed = {name: (before.get(name), after.get(name)) for name in before | after}
        assert {name: two for name, two in changed.items() if two[0] != two[1]} == {}, label(route)


@pytest.fixture
async def scene(redis: Redis, redis_url: str, tmp_path: Path, sim: Simulator) -> AsyncIterator[Scene]:
    async with serving(settings_for(redis_url, tmp_path, sim, poll_interval=3600)) as api:
        await api.read_once()
        await api.add(4)
        sim.create("one")
        held, _ = [(await api.assigned("one"))["id"] for _ in range(2)]  # the second time its row is seen
        reserved = await api.call("POST", "/reservations", COMPLETE["POST /reservations"])
        await log_in(api)
        [session] = await api.pool.sessions()
        things = {
            "proxies": held,
            "instances": "one",
            "servers": "a",
            "reservations": reserved.body["reservationId"],
            "tokens": "the-viewer",
            "sessions": session,
            "drift": "none",
            "jobs": "none",
        }
        yield Scene(api, things)


def properties(model: type[BaseModel]) -> list[str]:
    return list(model.model_json_schema().get("properties", {}))


@cache
def _validator(model: type[BaseModel], field: str) -> jsonschema_rs.Draft202012Validator:
    schema = model.model_json_schema()
    return jsonschema_rs.Draft202012Validator({**schema["properties"][field], "$defs": schema.get("$defs", {})})


def wrong(model: type[BaseModel], field: str) -> list[Any]:
    """For which no answer but a refusal will do: by the field's type and bounds, or because no such text is anything.

    A login takes any text for a token, and it is nobody's."""
    hostile = HOSTILE if model is not LoginRequest else []
    return [value for value in VALUES if value in hostile or not _validator(model, field).is_valid(value)]


def nested(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """The fields that are models themselves."""
    kinds = [(name, kind) for name, field in model.model_fields.items() for kind in get_args(field.annotation)]
    return [(name, kind) for name, kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


async def test_a_body_that_is_no_object(scene: Scene) -> None:
    for route in ALL:
        if route.body is None:
            continue
        async with scene.unchanged(route):
            for document in DOCUMENTS:
                answer = await scene.ask(route, body=document)
                refused = (answer.status, answer.code) in ((400, "malformed"), (422, "invalid"))
                assert refused, (label(route), document[:20], answer.text)


async def test_each_field_in_each_wrong_way(scene: Scene) -> None:
    for route in ALL:
        if route.body is None:
            continue
        complete = COMPLETE.get(label(route), {})
        route.body.model_validate_json(json.dumps(complete), strict=True)
        bodies = [(field, {name: complete[name] for name in complete if name != field}) for field in complete]
        bodies.append(("nonsense", {**complete, "nonsense": 1}))
        bodies += [(field, {**complete, field: "x"}) for field in route.immutable]
        for field in properties(route.body):
            bodies += [(field, {**complete, field: value}) for value in wrong(route.body, field)]
        for field, inner in nested(route.body):
            alone = {"action": complete["action"]}
            bodies += [
                (f"{field}.{name}", {**alone, field: {name: value}})
                for name in properties(inner)
                for value in wrong(inner, name)
            ]
            bodies.append((f"{field}.nonsense", {**alone, field: {"nonsense": 1}}))
        async with scene.unchanged(route):
            for field, body in bodies:
                answer = await scene.ask(route, body=json.dumps(body).encode())
                assert answer.status in REFUSED, (label(route), body, answer.text)
                assert answer.status != 422 or f"{answer.body['field']}.".startswith(f"{field}."), (field, answer.text)


async def test_each_parameter_in_each_wrong_way(scene: Scene) -> None:
    for route in ALL:
        allowed = REFUSED | ({200} if route.method == "GET" or route.streamed else set())
        body = json.dumps(COMPLETE.get(label(route), {})).encode() if route.body else None
        async with scene.unchanged(route):
            for field in ("nonsense", *properties(route.query)):
                for text in TEXTS:
                    answer = await scene.ask(route, f"?{field}={text}", body)
                    assert answer.status in allowed, (label(route), field, text, answer.text)
                for text in ("a%00b", "%1B", f"1&{field}=1"):
                    answer = await scene.ask(route, f"?{field}={text}", body)
                    assert answer.status == 422, (label(route), field, text, answer.text)
                    assert answer.body["field"] == field


async def test_the_name_of_something_else(scene: Scene) -> None:
    for route in ALL:
        if "{" not in route.path:
            continue
        kind = route.path.split("/")[1]
        others = [name for other, name in scene.things.items() if other != kind]
        async with scene.unchanged(route):
            for name in (*others, *NAMES):
                answer = await scene.ask(route, thing=name)
                assert answer.status in REFUSED, (label(route), name, answer.text)


async def test_a_cursor_that_was_never_given(scene: Scene) -> None:
    for route in ALL:
        if "cursor" not in properties(route.query):
            continue
        extra = "&instance=one" if route.path == "/ledger" else ""
        for position in (b"\0", b"a\0b", b"\xff", b"'", b"9" * 50, b"1-1-1\n", b"x" * 3000):
            cursor = base64.urlsafe_b64encode(position).decode().rstrip("=")
            answer = await scene.ask(route, f"?cursor={cursor}{extra}")
            assert answer.status in (200, 422), (label(route), position, answer.text)


async def test_a_file_without_a_proxy(scene: Scene) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    for route in ALL:
        if not route.streamed:
            continue
        async with scene.unchanged(route):
            for data in (b"\0", b"\xff\xfe\x00", b"[" * 5000, b"x" * 200_000, b'{"a":', b"\n\n", b":::::"):
                answer = await scene.api.call(route.method, route.path, data=data, headers=headers)
                assert answer.status in (200, 400, 422), (data[:20], answer.text)
                assert answer.status != 200 or answer.body["added"] == 0


async def test_an_instance_of_another_server(two: tuple[Api, Simulator], sim: Simulator) -> None:
    api, _ = two
    await api.add(2)
    sim.create("one")
    for method, path in (("POST", ""), ("POST", "/rotate"), ("DELETE", "")):
        answer = await api.call(method, f"/instances/one/proxy{path}?server=b")
        assert (answer.status, answer.code) in ((404, "unknown_instance"), (404, "no_lease"))
    assert (await api.get("/stats"))["used"] == 0

"""The HTTP face: paths, order of checks, keys, faults and the writing of answers (EVOLUTION.md, 1 and 9)."""

from __future__ import annotations

import gzip
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

import orjson
from aiohttp import web

from service.evolution.simulator.answers import (
    PROTOTYPE_NAMES,
    Answer,
    Refusal,
    Request,
    database_error,
    unauthorized,
    unknown_instance,
)
from service.evolution.simulator.calls import Call, Calls
from service.evolution.simulator.create_route import CreateRoute
from service.evolution.simulator.instance_routes import InstanceRoutes, parse_query
from service.evolution.simulator.proxies import percent_decode
from service.evolution.simulator.proxy_routes import ProxyRoutes, ProxyTest
from service.evolution.simulator.warts import Fault
from service.evolution.simulator.webhook_routes import WebhookRoutes
from service.evolution.simulator.world import World

Route: TypeAlias = Callable[[Request], Awaitable[Answer]]

_COMPRESSED_FROM = 1024


class HttpApi:
    """Answers HTTP requests on a :class:`World`. Names may hold anything, so it takes the raw path apart itself."""

    def __init__(self, world: World, *, api_key: str, rng: random.Random) -> None:
        self.api_key = api_key
        self.calls = Calls()
        self._world = world
        self._rng = rng
        test = ProxyTest(world)
        self._instances = InstanceRoutes(world)
        self._create = CreateRoute(world, test)
        proxies, webhooks = ProxyRoutes(world, test), WebhookRoutes(world)
        self._named: dict[tuple[str, str], Route] = {
            ("GET", "instance/connectionState"): self._instances.connection_state,
            ("GET", "instance/connect"): self._instances.connect,
            ("POST", "instance/restart"): self._instances.restart,
            ("DELETE", "instance/logout"): self._instances.logout,
            ("DELETE", "instance/delete"): self._instances.delete,
            ("POST", "proxy/set"): proxies.set,
            ("GET", "proxy/find"): proxies.find,
            ("POST", "webhook/set"): webhooks.set,
            ("GET", "webhook/find"): webhooks.find,
        }

    async def __call__(self, http: web.BaseRequest) -> web.StreamResponse:
        path, _, query = http.raw_path.partition("?")
        segments = path.split("/")[1:]
        route = "/".join(segments[:2])
        name = _lenient(segments[2]) if len(segments) == 3 else None
        call = Call(http.method, route, name, self._world.now())
        self._world.changes.notify()
        with self.calls.record(call):
            raw = await http.read()
            fault = self._world.warts.strike(route, name)
            await self._take_time(route, fault)
            if fault is not None and fault.cut == "before":
                return _cut(http)
            try:
                if fault is not None and fault.body is not None:
                    answer = Answer(fault.body, fault.status or 200)
                elif fault is not None and fault.status is not None:
                    raise Refusal(fault.status, ["Simulated"])
                else:
                    answer = await self._answer(http, path, segments, query, raw)
            except Refusal as refusal:
                answer = refusal.answer
            if fault is not None and fault.cut == "after":
                _run(answer.after)
                return _cut(http)
            call.status = answer.status
            return await _write(http, answer)

    async def _take_time(self, route: str, fault: Fault | None) -> None:
        shortest, longest = self._world.paces.service.get(route, (0.0, 0.0))
        pause = self._rng.uniform(shortest, longest) + (fault.delay if fault else 0.0)
        if pause:
            await self._world.sleep(pause)
        if fault is not None and fault.hang:
            await self._world.gate.wait()

    async def _answer(self, http: web.BaseRequest, path: str, segments: list[str], query: str, raw: bytes) -> Answer:
        """The checks in the server's order: JSON, route, path escapes, existence, key; then the route's own."""
        body = _json(raw) if http.content_type == "application/json" else {}
        route = "/".join(segments[:2])
        key = http.headers.get("apikey")
        parameters = parse_query(query)
        if http.method == "GET" and path == "/":
            return self._welcome(http)
        if len(segments) == 2 and (http.method, route) == ("POST", "instance/create"):
            if key != self.api_key:
                raise unauthorized()
            return await self._create.create(Request("", parameters, body, key))
        if len(segments) == 2 and (http.method, route) == ("GET", "instance/fetchInstances"):
            request = Request("", parameters, body, key)
            return await self._instances.list_all(request, of_token=self._is_token(key))
        act = self._named.get((http.method, route))
        if act is None or len(segments) != 3 or not segments[2]:
            raise Refusal(404, [f"Cannot {http.method} {path}"])
        name = _name(segments[2])
        self._guard(name, key)
        acting = dict(parameters).get("instanceName", name)
        return await act(Request(acting, parameters, body, key))

    def _guard(self, name: str, key: str | None) -> None:
        """Existence comes before the key (B19)."""
        world = self._world
        if name not in world.memory and name not in PROTOTYPE_NAMES:
            if world.warts.db_down:
                raise database_error()
            if name not in world.database:
                raise unknown_instance(name)
        if key != self.api_key:
            instance = world.database.get(name)
            if world.warts.db_down or instance is None or instance.token != key:
                raise unauthorized()

    def _is_token(self, key: str | None) -> bool:
        """False for the global key, true for what may be an instance's token. Raises the 401 of no key at all."""
        if key is None:
            raise unauthorized()
        return key != self.api_key

    def _welcome(self, http: web.BaseRequest) -> Answer:
        return Answer(
            {
                "status": 200,
                "message": "Welcome to the Evolution API, it is working!",
                "version": "1.8.2" if self._world.warts.version_1 else "2.3.7",
                "clientName": "evolution",
                "manager": f"http://{http.host}/manager",
                "documentation": "https://doc.evolution-api.com",
                "whatsappWebVersion": "2.3000.1029000000",
            }
        )


def _json(raw: bytes) -> Mapping[str, Any]:
    """The body as an object; an array counts as one without fields. Malformed text is refused."""
    if not raw:
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict | list):
        text = "Expected property name or '}' in JSON at position 1"
        raise Refusal(400, text, error="Internal Server Error")
    return body if isinstance(body, dict) else {}


def _name(segment: str) -> str:
    try:
        return percent_decode(segment)
    except ValueError:
        raise Refusal(400, f"Failed to decode param '{segment}'", error="Internal Server Error") from None


def _lenient(segment: str) -> str:
    """The name for records and faults, whatever the path holds."""
    try:
        return percent_decode(segment)
    except ValueError:
        return segment


def _cut(http: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection; aiohttp drops the answer that has no one to go to."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response(status=500)


async def _write(http: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Write the answer, then do what comes after it, whether or not the client still listens."""
    body = answer.text
    headers = {"content-type": "application/json; charset=utf-8"}
    if len(body) >= _COMPRESSED_FROM and "gzip" in http.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1)
        headers["content-encoding"] = "gzip"
    response = web.Response(status=answer.status, body=body, headers=headers)
    with suppress(ConnectionError):  # the client did not wait; what it asked for is carried out all the same (B3)
        await response.prepare(http)
        await response.write_eof()
    _run(answer.after)
    return response


def _run(after: Callable[[], None] | None) -> None:
    if after is not None:
        after()

"""How tests ask the service."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient
from yarl import URL

from service.control.controller import Controller
from service.models import Protocol, ProxySpec
from service.pool.pool import Pool
from service.pool.tokens import Role
from tests.helpers import wait_until
from tests.web.conforming import check

SUPERADMIN = "the-superadmins-own-secret"
PASSWORD = "Pl4nted&Pass"

Client = TestClient[web.Request, web.Application]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return orjson.loads(self.text)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.text
        assert self.body["status"] == self.status
        return str(self.body["code"])


@dataclass
class Api:
    """The running service. ``answers`` holds all that it ever said, and each was as its description says."""

    client: Client
    pool: Pool
    controller: Controller
    tokens: Mapping[Role, str]
    answers: list[Answer] = field(default_factory=list)

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        role: Role | None = Role.ADMIN,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """``path`` is below /api/v1 and sent as it is."""
        sent = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        if json is not None:
            data, sent["Content-Type"] = orjson.dumps(json), "application/json"
        if isinstance(data, bytes):
            data = io.BytesIO(data)
        url = URL(str(self.client.make_url("/")).rstrip("/") + "/api/v1" + path, encoded=True)
        async with self.client.session.request(method, url, data=data, headers={**sent, **(headers or {})}) as response:
            answer = Answer(response.status, response.headers, await response.text())
        self.client.session.cookie_jar.clear()  # a test says which cookie it sends
        self.answers.append(answer)
        check(method, path, answer.status, answer.headers.get("Content-Type", ""), answer.text)
        return answer

    async def get(self, path: str) -> Any:
        """The body of a GET that has to succeed."""
        answer = await self.call("GET", path, role=Role.VIEWER)
        assert answer.status == 200, answer.text
        return answer.body

    async def read_once(self) -> None:
        """Returns when every server was read in this epoch."""

        async def read() -> bool:
            return not (await self.get("/stats"))["unreadServers"]

        await wait_until(read, what="every server is read")

    async def add(self, count: int = 1, **fields: Any) -> list[str]:
        """Proxies 192.0.2.1 and on, free; answers their ids."""
        specs = [proxy(number, **fields) for number in range(1, count + 1)]
        await self.pool.import_proxies(specs, stamp="test", actor="cli:test")
        return [spec.id for spec in specs]

    async def assigned(self, name: str) -> dict[str, Any]:
        """Gives the instance a proxy by hand."""
        answer = await self.call("POST", f"/instances/{segment(name)}/proxy")
        assert answer.status in (200, 201), answer.text
        body: dict[str, Any] = answer.body
        return body

    async def events(self, *types: str) -> list[dict[str, str]]:
        entries: Any = await self.pool.redis.xrange(self.pool.keys.named("events"))
        return [entry for _, entry in entries if entry["type"] in types]


def proxy(number: int = 1, **fields: Any) -> ProxySpec:
    values = {"protocol": Protocol.HTTP, "host": f"192.0.2.{number}", "port": 8080, "username": "user"}
    return ProxySpec(**{**values, "password": PASSWORD, **fields})


def lines(specs: Iterable[ProxySpec]) -> bytes:
    return b"".join(f"{one.host}:{one.port}:{one.username}:{one.password}\n".encode() for one in specs)


def segment(name: str) -> str:
    return quote(name, safe="")

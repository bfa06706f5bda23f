"""A server of plain bytes that shows what the Evolution client really puts on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from pydantic import SecretStr

from service.evolution.client import EvolutionClient, Limits
from service.evolution.transport import OnCall
from service.models import Protocol, ProxySpec

KEY = "k3y-of-the-server"
SPEC = ProxySpec(Protocol.HTTP, "proxy.example", 8080, "us er", "p@ss/w%rd")
HOOK = "http://evoproxy.example/webhooks/h00k"
HOOK_HEADERS = {"authorization": "Bearer b3arer"}
SECRETS = (KEY, "us er", "us%20er", "p@ss/w%rd", "p%40ss%2Fw%25rd")
HOOK_SECRETS = (HOOK, *HOOK_HEADERS.values())

SILENCE = b"(silence)"
CUT = b"(cut)"


def http(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def json(status: int, body: Any) -> bytes:
    return http(status, orjson.dumps(body), "Content-Type: application/json; charset=utf-8")


def evolution_error(status: int, message: Any, error: str = "Some Error") -> bytes:
    """An error in Evolution's shape (EVOLUTION.md, 1)."""
    return json(status, {"status": status, "error": error, "response": {"message": message}})


class RawServer:
    """Answers each request with ``reply`` and keeps the raw requests. ``SILENCE`` never answers, ``CUT`` at the end
    hangs up."""

    def __init__(self) -> None:
        self.reply = json(200, [])
        self.requests: list[bytes] = []
        self.received = asyncio.Event()
        self.url = ""

    @property
    def request_line(self) -> str:
        return self.requests[-1].split(b"\r\n")[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.requests[-1].split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.requests[-1].split(b"\r\n\r\n", 1)[1]

    @asynccontextmanager
    async def client(
        self, prefix: str = "", limits: Limits | None = None, on_call: OnCall | None = None
    ) -> AsyncIterator[EvolutionClient]:
        url, key = self.url + prefix, SecretStr(KEY)
        async with EvolutionClient.open("default", url, key, limits=limits or Limits(), on_call=on_call) as client:
            yield client

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                self.received.set()
                if self.reply == SILENCE:
                    await reader.read()
                    return
                writer.write(self.reply.removesuffix(CUT))
                if self.reply.endswith(CUT):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def raw_server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    server = await asyncio.start_server(raw._serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()

"""A remote evoproxy, by its HTTP API: what ``--url`` and ``--token`` name."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.cli.backend import Document
from service.cli.client import WORKING, Client, segment
from service.messages import Locale
from service.web.export import Format, Part
from service.web.requests import (
    BrakeRelease,
    Change,
    Choice,
    DriftQuery,
    EventQuery,
    ExportQuery,
    Force,
    Ignored,
    ImportQuery,
    InstanceQuery,
    LedgerQuery,
    PageQuery,
    ProxyQuery,
    ReleaseQuery,
    ServerQuery,
    TokenRequest,
)

_OF_PROXY = {Format.LINES: b"", Format.CSV: b'"', Format.JSON: b"{", Format.NDJSON: b"{"}
"""How a line begins that is a proxy, and neither head nor foot."""


class Remote:
    """Each method asks its route. The audit trail says ``token:<name>``."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token: str, locale: Locale) -> AsyncIterator[Remote]:
        """``url`` is the base URL, normalised."""
        async with Client.open(url, token, locale) as client:
            yield cls(client)

    @property
    def locale(self) -> Locale:
        return self._client.locale

    async def stats(self) -> Document:
        return await self._client.ask("GET", "/stats")

    def servers(self) -> AsyncGenerator[Document, None]:
        return self._client.pages("/servers", PageQuery())

    def proxies(self, query: ProxyQuery) -> AsyncGenerator[Document, None]:
        return self._client.pages("/proxies", query)

    def instances(self, query: InstanceQuery) -> AsyncGenerator[Document, None]:
        return self._client.pages("/instances", query)

    def drift(self, query: DriftQuery) -> AsyncGenerator[Document, None]:
        return self._client.pages("/drift", query)

    def events(self, query: EventQuery) -> AsyncGenerator[Document, None]:
        return self._client.pages("/events", query)

    def ledger(self, query: LedgerQuery) -> AsyncGenerator[Document, None]:
        return self._client.pages("/ledger", query)

    async def assign(self, instance: str, server: str | None, choice: Choice) -> Document:
        path = f"/instances/{segment(instance)}/proxy"
        return await self._client.ask("POST", path, ServerQuery(server=server), choice)

    async def rotate(self, instance: str, server: str | None, choice: Choice) -> Document:
        path = f"/instances/{segment(instance)}/proxy/rotate"
        return await self._client.ask("POST", path, ServerQuery(server=server), choice)

    async def release(self, instance: str, server: str | None, *, force: bool) -> Document:
        path = f"/instances/{segment(instance)}/proxy"
        return await self._client.ask("DELETE", path, ReleaseQuery(server=server, force=force))

    async def repair(self, drift: str) -> Document:
        return await self._client.ask("POST", f"/drift/{segment(drift)}/repair")

    async def disable(self, proxy: str, *, force: bool) -> Document:
        return await self._client.ask("POST", f"/proxies/{segment(proxy)}/disable", body=Force(force=force))

    async def enable(self, proxy: str) -> Document:
        return await self._client.ask("POST", f"/proxies/{segment(proxy)}/enable")

    async def edit(self, proxy: str, change: Change) -> Document:
        return await self._client.ask("PATCH", f"/proxies/{segment(proxy)}", body=change)

    async def remove(self, proxy: str) -> None:
        await self._client.delete(f"/proxies/{segment(proxy)}")

    async def reveal(self, proxy: str) -> Document:
        return await self._client.ask("POST", f"/proxies/{segment(proxy)}/reveal")

    def jobs(self) -> AsyncGenerator[Document, None]:
        return self._client.pages("/jobs", PageQuery())

    async def job(self, job: str) -> Document:
        return await self._client.ask("GET", f"/jobs/{segment(job)}")

    async def cancel_job(self, job: str) -> None:
        await self._client.delete(f"/jobs/{segment(job)}")

    async def ignore(self, server: str, *, ignored: bool) -> Document:
        return await self._client.ask("POST", f"/servers/{segment(server)}/ignore", body=Ignored(ignored=ignored))

    async def forget(self, server: str) -> Document:
        return await self._client.ask("POST", f"/servers/{segment(server)}/forget", silence=WORKING)

    async def populate(self, chunks: AsyncIterable[bytes], query: ImportQuery, tell: Callable[[int], None]) -> Document:
        async def upload() -> AsyncIterator[bytes]:
            lines = 0
            async for chunk in chunks:
                yield chunk
                tell(lines := lines + chunk.count(b"\n"))

        async with self._client.asked("POST", "/proxies/import", query, data=upload(), silence=WORKING) as response:
            return await self._client.document(response)

    async def export(self, query: ExportQuery) -> AsyncGenerator[Part, None]:
        begins = _OF_PROXY[query.format]
        async with self._client.asked("GET", "/export", query) as response:
            if "Content-Disposition" not in response.headers:
                raise self._client.no_evoproxy(response)
            async for line in response.content:
                yield Part(line, int(line.startswith(begins)))

    async def snapshot(self) -> Document:
        return await self._client.ask("POST", "/snapshots", silence=WORKING)

    async def pause(self, *, paused: bool) -> Document:
        return await self._client.ask("POST", "/pause" if paused else "/resume")

    async def release_brake(self, request: BrakeRelease) -> Document:
        return await self._client.ask("POST", "/brake/release", body=request)

    def tokens(self) -> AsyncGenerator[Document, None]:
        return self._client.pages("/tokens", PageQuery())

    async def create_token(self, request: TokenRequest) -> Document:
        return await self._client.ask("POST", "/tokens", body=request)

    async def revoke_token(self, name: str) -> None:
        await self._client.delete(f"/tokens/{segment(name)}")

"""The stores themselves: commands work where the service's Redis, SQL and settings are, whether it runs or not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from service.audit import Events, Ledger, LedgerFilter
from service.cli import environment
from service.cli.backend import Document
from service.cli.control import controller, look
from service.control import byhand
from service.control.controller import Controller
from service.control.forgetting import forget_server
from service.control.intake import import_proxies
from service.control.locate import locate
from service.control.repairing import repair
from service.control.server import ServerControl
from service.errors import RefusedError
from service.messages import Locale
from service.pool.pool import Pool
from service.settings import Settings
from service.web.accounts import TokenOut
from service.web.audit import EventOut, TenancyOut
from service.web.drift import RepairOut, all_drift, drift_out
from service.web.export import Part, Wanted
from service.web.export import export as parts_of
from service.web.figures import figures
from service.web.jobs import JobOut
from service.web.models import ApiModel, ImportOut, InstanceOut, ProxyOut
from service.web.requests import (
    BrakeRelease,
    Change,
    Choice,
    DriftQuery,
    EventQuery,
    ExportQuery,
    ImportQuery,
    InstanceQuery,
    LedgerQuery,
    ProxyQuery,
    TokenRequest,
)

T = TypeVar("T")

_ONLY_THE_SERVICE_KNOWS: dict[str, Any] = {
    "last_poll_at": True,
    "mirror_lag": True,
    "eta_seconds": True,
    "servers": {"__all__": {"drift", "error", "last_poll_at", "planned", "webhooks", "pace"}},
}


class Local:
    """The deployment that the settings name. The audit trail says ``cli:<user>``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @property
    def locale(self) -> Locale:
        return self.settings.locale

    async def stats(self) -> Document:
        """Without what only a running service knows."""
        async with self._controller() as servers:
            told = figures(await servers.pool.stats(), servers, self.locale)
        return told.model_dump(mode="json", by_alias=True, exclude=_ONLY_THE_SERVICE_KNOWS)

    async def servers(self) -> AsyncGenerator[Document, None]:
        """Without what only a running service knows."""
        for server in (await self.stats())["servers"]:
            yield server

    async def proxies(self, query: ProxyQuery) -> AsyncGenerator[Document, None]:
        wanted = Wanted(status=query.status, group=query.group, protocol=query.protocol)
        async with self._pool() as pool:
            async for proxy in _paged(pool.page):
                if wanted.takes(proxy):
                    yield _document(ProxyOut.of(proxy))

    async def instances(self, query: InstanceQuery) -> AsyncGenerator[Document, None]:
        environment.refuse_unknown(query.server, self.settings)
        async with self._pool() as pool:
            async for instance in _paged(partial(pool.page_instances, which=query.list or "instances")):
                if query.server in (None, instance.server):
                    yield _document(InstanceOut.of(instance))

    async def drift(self, query: DriftQuery) -> AsyncGenerator[Document, None]:
        """From a reading of its own. A server that can't be read is raised after what differs on the others."""
        environment.require_servers(self.settings)
        async with self._controller() as servers:
            failed = await look(servers, query.server)
            stats = await servers.pool.stats()
            if query.server not in stats.former:
                environment.refuse_unknown(query.server, self.settings)
            for drift in all_drift(servers, stats):
                if query.server in (None, drift.server) and query.kind in (None, drift.kind):
                    yield _document(drift_out(drift, servers, stats, self.locale))
        if failed is not None:
            raise failed

    async def events(self, query: EventQuery) -> AsyncGenerator[Document, None]:
        from service.cli import tables

        async with tables.questions(self.settings) as questions:
            async for event in _all(partial(questions.events, query.filter(), limit=query.limit)):
                yield _document(EventOut.of(event))

    async def ledger(self, query: LedgerQuery) -> AsyncGenerator[Document, None]:
        from service.cli import tables

        wanted = LedgerFilter(query.instance, query.proxy_id, query.server, *query.bounds())
        async with tables.questions(self.settings) as questions:
            async for tenancy in _all(partial(questions.ledger, wanted, limit=query.limit)):
                yield _document(TenancyOut.of(tenancy))

    async def assign(self, instance: str, server: str | None, choice: Choice) -> Document:
        async with self._control(instance, server) as control:
            pin, group, actor = choice.proxy_id or "", choice.group, environment.actor()
            given = await byhand.assign(control, instance, actor=actor, pin=pin, group=group)
            return await _shown(control.pool, given.lease.proxy_id)

    async def rotate(self, instance: str, server: str | None, choice: Choice) -> Document:
        async with self._control(instance, server) as control:
            pin, group, actor = choice.proxy_id or "", choice.group, environment.actor()
            lease = await byhand.rotate(control, instance, actor=actor, pin=pin, group=group)
            return await _shown(control.pool, lease.proxy_id)

    async def release(self, instance: str, server: str | None, *, force: bool) -> Document:
        async with self._control(instance, server) as control:
            held = await byhand.held_by(control, instance)
            await byhand.release(control, instance, actor=environment.actor(), force=force, lease=held)
            return await _shown(control.pool, held.proxy_id)

    async def repair(self, drift: str) -> Document:
        """After a reading of its own. What repairs itself is left to the service."""
        environment.require_servers(self.settings)
        async with self._controller(passwords=True) as servers:
            failed = await look(servers)
            try:
                left = await repair(servers, drift, actor=environment.actor())
            except RefusedError as refused:
                raise failed if failed and refused.code == "unknown_drift" else refused from None
            shown = drift_out(left, servers, await servers.pool.stats(), self.locale) if left else None
        return _document(RepairOut(id=drift, drift=shown))

    async def disable(self, proxy: str, *, force: bool) -> Document:
        async with self._controller(passwords=force) as servers:
            await byhand.disable(servers, proxy, actor=environment.actor(), force=force)
            return await _shown(servers.pool, proxy)

    async def enable(self, proxy: str) -> Document:
        async with self._pool() as pool:
            await pool.enable(proxy, actor=environment.actor())
            return await _shown(pool, proxy)

    async def edit(self, proxy: str, change: Change) -> Document:
        async with self._pool() as pool:
            await pool.update(proxy, actor=environment.actor(), **change.changes())
            return await _shown(pool, proxy)

    async def remove(self, proxy: str) -> None:
        async with self._pool() as pool:
            await pool.remove(proxy, actor=environment.actor())

    async def reveal(self, proxy: str) -> Document:
        async with self._pool(passwords=True) as pool:
            password = await pool.reveal(proxy, actor=environment.actor())
            return {**await _shown(pool, proxy), "password": password}

    async def jobs(self) -> AsyncGenerator[Document, None]:
        async with self._pool() as pool:
            for job in await pool.jobs():
                yield _document(JobOut.of(job))

    async def job(self, job: str) -> Document:
        async with self._pool() as pool:
            found = await pool.job(job)
        if found is None:
            raise RefusedError("unknown_job")
        return _document(JobOut.of(found))

    async def cancel_job(self, job: str) -> None:
        async with self._pool() as pool:
            await pool.cancel_job(job, actor=environment.actor())

    async def ignore(self, server: str, *, ignored: bool) -> Document:
        environment.refuse_unknown(server, self.settings)
        async with self._pool() as pool:
            await pool.ignore_server(server, ignored=ignored, actor=environment.actor())
        return {"name": server, "ignored": ignored}

    async def forget(self, server: str) -> Document:
        rest_ms = round(self.settings.orphan_rest * 1000)
        async with self._pool() as pool:
            done = await forget_server(pool, server, actor=environment.actor(), rest_ms=rest_ms)
        return {"name": server, "leases": done.leases, "instances": done.instances}

    async def populate(self, chunks: AsyncIterable[bytes], query: ImportQuery, tell: Callable[[int], None]) -> Document:
        async with self._pool(passwords=True) as pool:
            report = await import_proxies(
                pool,
                chunks,
                actor=environment.actor(),
                mode=query.mode,
                dry_run=query.dry_run,
                default_protocol=query.protocol,
                group=query.group,
                on_progress=lambda so_far: tell(so_far.accepted),
            )
        return _document(ImportOut.of(report, self.locale))

    async def export(self, query: ExportQuery) -> AsyncGenerator[Part, None]:
        wanted = Wanted(**dict(query))
        async with (
            self._pool(passwords=query.secrets) as pool,
            aclosing(parts_of(pool, wanted, actor=environment.actor())) as parts,
        ):
            async for part in parts:
                yield part

    async def snapshot(self) -> Document:
        from service.cli import tables

        async with self._pool() as pool:
            return await tables.snapshot(self.settings, pool)

    async def pause(self, *, paused: bool) -> Document:
        async with self._pool() as pool:
            await pool.pause(paused=paused, actor=environment.actor())
        return {"paused": paused}

    async def release_brake(self, request: BrakeRelease) -> Document:
        environment.refuse_unknown(request.server, self.settings)
        async with self._controller() as servers:
            for server in (request.server,) if request.server else servers.servers:
                for half in (request.half,) if request.half else ("release", "set"):
                    await servers.pool.brake(server, half, engaged=False, reason="by_hand", actor=environment.actor())
            return _document(figures(await servers.pool.stats(), servers, self.locale).brake)

    async def tokens(self) -> AsyncGenerator[Document, None]:
        async with self._pool() as pool:
            for token in await pool.tokens():
                yield _document(TokenOut.of(token))

    async def create_token(self, request: TokenRequest) -> Document:
        expires_at = round(request.expires_at.timestamp() * 1000) if request.expires_at else None
        async with self._pool() as pool:
            text = await pool.create_token(
                request.name,
                request.role,
                expires_at=expires_at,
                rate_limit=request.rate_limit,
                actor=environment.actor(),
            )
            made = await pool.token_of(text)
        if made is None:
            raise RefusedError("unknown_token", token=request.name)  # somebody has revoked it already
        return _document(TokenOut.of(made).model_copy(update={"token": text}))

    async def revoke_token(self, name: str) -> None:
        async with self._pool() as pool:
            await pool.revoke_token(name, actor=environment.actor())

    def _pool(self, *, passwords: bool = False) -> AbstractAsyncContextManager[Pool]:
        return environment.running_pool(self.settings, passwords=passwords)

    @asynccontextmanager
    async def _controller(self, *, passwords: bool = False) -> AsyncIterator[Controller]:
        async with self._pool(passwords=passwords) as pool, controller(self.settings, pool) as servers:
            yield servers

    @asynccontextmanager
    async def _control(self, instance: str, server: str | None) -> AsyncIterator[ServerControl]:
        """The server that ``instance`` is on, under control."""
        environment.require_servers(self.settings)
        environment.refuse_unknown(server, self.settings)
        async with self._controller(passwords=True) as servers:
            yield await locate(servers, instance, server)


async def _shown(pool: Pool, proxy_id: str) -> Document:
    """What became of it, as the proxy that it is about."""
    proxy = await pool.proxy(proxy_id)
    if proxy is None:
        raise RefusedError("unknown_proxy", proxy=proxy_id)
    return _document(ProxyOut.of(proxy))


async def _paged(read: Callable[[str], Awaitable[tuple[str, Sequence[T]]]]) -> AsyncIterator[T]:
    cursor: str | None = None
    while cursor != "":
        cursor, items = await read(cursor or "")
        for item in items:
            yield item


async def _all(read: Callable[..., Awaitable[Events | Ledger]]) -> AsyncIterator[Any]:
    following: str | None = ""
    while following is not None:
        page = await read(before=following)
        for item in page.items:
            yield item
        following = page.following


def _document(value: ApiModel) -> Document:
    return value.model_dump(mode="json", by_alias=True)

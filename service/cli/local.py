"""The stores themselves: commands work where the service's Redis, SQL and settings are, whether it runs or not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from service.audit import EventFilter, Events, Ledger, LedgerFilter
from service.cli import environment
from service.cli.backend import Document
from service.cli.control import controller
from service.control import byhand
from service.control.intake import import_proxies
from service.control.locate import locate
from service.control.server import ServerControl
from service.errors import RefusedError
from service.messages import Locale
from service.mirror.database import open_database, url_of
from service.mirror.mirroring import Mirroring
from service.mirror.questions import Questions
from service.pool.pool import Pool
from service.settings import Settings
from service.web.audit import EventOut, TenancyOut
from service.web.export import Part, Wanted
from service.web.export import export as parts_of
from service.web.figures import figures
from service.web.models import ApiModel, ImportOut, InstanceOut, ProxyOut, TokenOut
from service.web.requests import (
    BrakeRelease,
    Choice,
    EventQuery,
    ExportQuery,
    ImportQuery,
    InstanceQuery,
    LedgerQuery,
    ProxyQuery,
    TokenRequest,
)

_ONLY_THE_SERVICE_KNOWS: dict[str, Any] = {
    "last_poll_at": True,
    "mirror_lag": True,
    "eta_seconds": True,
    "servers": {"__all__": {"error", "last_poll_at", "planned", "webhooks", "pace"}},
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
        async with self._pool() as pool, controller(self.settings, pool) as servers:
            told = figures(await pool.stats(), servers, self.locale)
        return told.model_dump(mode="json", by_alias=True, exclude=_ONLY_THE_SERVICE_KNOWS)

    async def proxies(self, query: ProxyQuery) -> AsyncGenerator[Document, None]:
        wanted = Wanted(status=query.status, group=query.group, protocol=query.protocol)
        cursor: str | None = None
        async with self._pool() as pool:
            while cursor != "":
                cursor, page = await pool.page(cursor or "")
                for proxy in page:
                    if wanted.takes(proxy):
                        yield _document(ProxyOut.of(proxy))

    async def instances(self, query: InstanceQuery) -> AsyncGenerator[Document, None]:
        environment.refuse_unknown(query.server, self.settings)
        cursor: str | None = None
        async with self._pool() as pool:
            while cursor != "":
                cursor, page = await pool.page_instances(cursor or "", which=query.list or "instances")
                for instance in page:
                    if query.server in (None, instance.server):
                        yield _document(InstanceOut.of(instance))

    async def events(self, query: EventQuery) -> AsyncGenerator[Document, None]:
        wanted = EventFilter(
            query.instance, query.server, query.proxy_id, query.actor, query.type, query.level, *query.bounds()
        )
        async with self._questions() as questions:
            async for event in _all(partial(questions.events, wanted, limit=query.limit)):
                yield _document(EventOut.of(event))

    async def ledger(self, query: LedgerQuery) -> AsyncGenerator[Document, None]:
        wanted = LedgerFilter(query.instance, query.proxy_id, query.server, *query.bounds())
        async with self._questions() as questions:
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

    async def set_active(self, proxy: str, *, active: bool) -> Document:
        async with self._pool() as pool:
            if active:
                await pool.enable(proxy, actor=environment.actor())
            else:
                await pool.disable(proxy, reason="by_hand", actor=environment.actor())
            return await _shown(pool, proxy)

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
        return _document(ImportOut.of(report, self.locale, dry_run=query.dry_run))

    async def export(self, query: ExportQuery) -> AsyncGenerator[Part, None]:
        wanted = Wanted(**dict(query))
        async with (
            self._pool(passwords=query.secrets) as pool,
            aclosing(parts_of(pool, wanted, actor=environment.actor())) as parts,
        ):
            async for part in parts:
                yield part

    async def snapshot(self) -> Document:
        async with self._pool() as pool, open_database(url_of(self.settings)) as engine:
            return asdict(await Mirroring(pool, engine, snapshot_interval=self.settings.snapshot_interval).snapshot())

    async def pause(self, *, paused: bool) -> Document:
        async with self._pool() as pool:
            await pool.pause(paused=paused, actor=environment.actor())
        return {"paused": paused}

    async def release_brake(self, request: BrakeRelease) -> Document:
        environment.refuse_unknown(request.server, self.settings)
        async with self._pool() as pool, controller(self.settings, pool) as servers:
            for server in (request.server,) if request.server else servers.servers:
                for half in (request.half,) if request.half else ("release", "set"):
                    await pool.brake(server, half, engaged=False, reason="by_hand", actor=environment.actor())
            return _document(figures(await pool.stats(), servers, self.locale).brake)

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

    @asynccontextmanager
    async def _pool(self, *, passwords: bool = False) -> AsyncIterator[Pool]:
        async with environment.running_pool(self.settings, passwords=passwords) as pool:
            yield pool

    @asynccontextmanager
    async def _questions(self) -> AsyncIterator[Questions]:
        async with open_database(url_of(self.settings), create=False) as engine:
            yield Questions(engine)

    @asynccontextmanager
    async def _control(self, instance: str, server: str | None) -> AsyncIterator[ServerControl]:
        """The server that ``instance`` is on, under control."""
        environment.require_servers(self.settings)
        environment.refuse_unknown(server, self.settings)
        async with self._pool(passwords=True) as pool, controller(self.settings, pool) as controlled:
            yield await locate(controlled, instance, server)


async def _shown(pool: Pool, proxy_id: str) -> Document:
    """What became of it, as the proxy that it is about."""
    proxy = await pool.proxy(proxy_id)
    if proxy is None:
        raise RefusedError("unknown_proxy", proxy=proxy_id)
    return _document(ProxyOut.of(proxy))


async def _all(read: Callable[..., Awaitable[Events | Ledger]]) -> AsyncIterator[Any]:
    following: str | None = ""
    while following is not None:
        page = await read(before=following)
        for item in page.items:
            yield item
        following = page.following


def _document(value: ApiModel) -> Document:
    return value.model_dump(mode="json", by_alias=True)

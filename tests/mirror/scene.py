"""A pool that lives, and its mirror compared with it from outside."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.errors import RefusedError
from service.mirror.schema import EVENTS, PROXIES
from service.pool.models import Evidence, Status
from service.pool.pool import Pool
from tests.lua.stage import HOUR, MovedClock, Stage


async def stage_on(redis: Redis, name: str) -> Stage:
    clock = MovedClock()
    pool = Pool(redis, name, clock=clock)
    await pool.renew_epoch("life")
    stage = Stage(pool, clock)
    await stage.open()
    return stage


async def rows(engine: AsyncEngine, table: Table, *conditions: Any) -> list[dict[str, Any]]:
    """All rows in the order of the key."""
    async with engine.connect() as connection:
        found = await connection.execute(select(table).where(*conditions).order_by(*table.primary_key))
        return [dict(row) for row in found.mappings()]


async def stream(stage: Stage) -> list[tuple[str, dict[str, str]]]:
    """What the stream holds."""
    found: list[tuple[str, dict[str, str]]] = await stage.redis.xrange(stage.pool.keys.named("events"))
    return found


def told(row: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """A row of EVENTS as the stream's entry that it was."""
    fields = {name: row[name] for name in ("type", "level", "actor", "proxy", "server", "instance", "name", "reason")}
    fields |= {"token": row["token"], "at": str(row["at"]), **row["data"]}
    return row["id"], {name: value for name, value in fields.items() if value is not None}


async def assert_table_equals_pool(engine: AsyncEngine, pool: Pool) -> None:
    """The table says of each proxy what the pool answers, computed another way than the mirror does.

    But for what changes without an event (lua/README.md, Mirror): ``updated_at`` and ``state`` wait for one.
    """
    table = {row["id"]: row for row in await rows(engine, PROXIES, PROXIES.c.removed_at.is_(None))}
    cursor, seen = "", set()
    while True:
        cursor, page = await pool.page(cursor)
        for proxy in page:
            row, lease = table[proxy.id], proxy.lease
            seen.add(proxy.id)
            assert (row["status"], row["is_used"], row["is_active"]) == (
                proxy.status.value,
                proxy.status is Status.USED,
                proxy.active,
            )
            assert (row["protocol"], row["host"], row["port"]) == (proxy.protocol.value, proxy.host, proxy.port)
            assert (row["username"], pool.vault.open(row["password"])) == (proxy.username, pool.spec_of(proxy).password)
            assert (row["group_name"], tuple(row["labels"]), str(row["rev"])) == (proxy.group, proxy.labels, proxy.rev)
            assert (row["expires_at"], row["created_at"]) == (proxy.expires_at, proxy.created_at)
            held = (row["assigned_instance_name"], row["server"], row["instance_id"], row["phase"], row["applied"])
            expected = (lease.name, lease.server, lease.instance, lease.phase, lease.applied) if lease else (None,) * 5
            assert held == expected
            assert row["token"] == (int(lease.token) if lease else None)
        if not cursor:
            break
    assert seen == set(table)


async def assert_events_once(engine: AsyncEngine, history: Sequence[tuple[str, dict[str, str]]]) -> None:
    """SQL holds exactly ``history``, each event once and in its order."""
    assert [told(row) for row in await rows(engine, EVENTS)] == list(history)


class Life:
    """Random things that happen to a pool of ``proxies`` proxies and some instances."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._draw = random.Random(seed)

    async def happen(self, times: int) -> None:
        for _ in range(times):
            self._stage.clock.move(self._draw.randrange(3_000))
            step = self._draw.choice((self._assign, self._assign, self._go_on, self._go_on, self._toggle, self._change))
            with suppress(RefusedError):
                await step()

    async def _assign(self) -> None:
        await self._stage.try_acquire(f"i{self._draw.randrange(20)}", human=True)

    async def _go_on(self) -> None:
        pool = self._stage.pool
        leases = await pool.leases_of("a")
        if not leases:
            return
        lease = leases[self._draw.choice(sorted(leases))]
        if lease.phase == "reserved":
            await pool.confirm(lease)
        elif lease.phase == "active" and self._draw.random() < 0.3:
            await pool.rotate(lease, reason="signs", human=True)
        elif lease.phase == "active":
            await self._stage.pool.mark(lease, self._draw.choice(("down", "applied", "opened", "asserted")))
        if self._draw.random() < 0.4:
            await pool.finish_release(lease, Evidence.GONE, rest_ms=self._draw.choice((0, HOUR)), rest_reason="ban")

    async def _toggle(self) -> None:
        pool, proxy_id = self._stage.pool, await self._any()
        if self._draw.random() < 0.5:
            await pool.disable(proxy_id, reason="human", actor="cli:ana")
        else:
            await pool.enable(proxy_id, actor="cli:ana")

    async def _change(self) -> None:
        proxy_id = await self._any()
        word = self._draw.choice(("group", "labels", "password", "remove", "add", "quarantine"))
        pool = self._stage.pool
        if word == "group":
            await pool.update(proxy_id, actor="cli:ana", group=self._draw.choice(("br", "us", "")))
        elif word == "labels":
            await pool.update(proxy_id, actor="cli:ana", labels=["a", "b"][: self._draw.randrange(3)])
        elif word == "password":
            await pool.update(proxy_id, actor="cli:ana", password=f"p{self._draw.randrange(9)}")
        elif word == "add" or await pool.size() < 6:
            await self._stage.add(8)
        elif word == "remove":
            await pool.remove(proxy_id, actor="cli:ana")
        else:
            await pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")

    async def _any(self) -> str:
        return self._draw.choice(await self._stage.pool.page_ids("", 50))

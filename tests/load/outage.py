"""SQL is away for long, killed or frozen, while leases are made and ended in the same process as the mirror."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.database import open_database
from service.mirror.mirroring import Mirroring
from service.pool.pool import Pool, open_pool
from tests.load.first_day import until
from tests.load.lives import EVENTS_A_LIFE, lives, ready
from tests.load.result import Result
from tests.load.trail import Trail
from tests.mirror.servers import Server, postgresql

LEAST_RATIO = 0.95
WAYS = ("killed", "frozen")
_ROUNDS = 6
_WITHIN = 900.0


class Scene:
    """A pool, a PostgreSQL of its own, and ways to take that away and to give it back."""

    def __init__(self, pool: Pool, server: Server, engine: AsyncEngine) -> None:
        self.pool = pool
        self.engine = engine
        self.trail = Trail(pool, engine)
        self._ways = {"killed": (server.kill, server.start), "frozen": (server.freeze, server.thaw)}

    @classmethod
    @asynccontextmanager
    async def open(cls, redis_url: str, name: str) -> AsyncIterator[Scene]:
        with postgresql() as server:
            async with open_pool(redis_url, name) as pool, open_database(server.url(server.first)) as engine:
                await ready(pool, 2_000)
                yield cls(pool, server, engine)

    @asynccontextmanager
    async def mirrored(self) -> AsyncIterator[None]:
        """All that the service runs to follow the pool into SQL; SQL holds all when it begins and when it ends."""
        mirroring = Mirroring(self.pool, self.engine, snapshot_interval=5)
        await mirroring.start()
        try:
            await self.caught_up()
            yield
            await self.caught_up()
        finally:
            await mirroring.stop(30)

    @asynccontextmanager
    async def away(self, way: str) -> AsyncIterator[None]:
        """SQL is ``killed`` or ``frozen``."""
        stop, start = self._ways[way]
        stop()
        try:
            yield
        finally:
            await asyncio.to_thread(start)

    async def caught_up(self) -> None:
        """Returns once SQL holds all."""
        await until(self._holds_all, _WITHIN)

    async def _holds_all(self) -> bool:
        return await self.pool.waiting_since(await self.pool.mirrored_to()) is None


async def outage(redis_url: str, events: int) -> Result:
    """SQL is away for so many events, once killed and once frozen, while leases are made in the mirror's process:
    nothing is lost, each event is in SQL once and in its order, and the table is as the pool."""
    figures: dict[str, Any] = {"events": events}
    async with Scene.open(redis_url, "outage") as scene, scene.mirrored():
        for way in WAYS:
            async with scene.away(way):
                rate = await lives(scene.pool, events // EVENTS_A_LIFE)
                await scene.trail.follow()
            begun = time.perf_counter()
            await scene.caught_up()
            took = time.perf_counter() - begun
            figures[way] = {"leases_per_s": round(rate), "caught_up_s": round(took, 1)}
        broken = await scene.trail.compare_all()
    return Result(figures | {"compared": len(scene.trail)}, broken)


async def unslowed(redis_url: str, leases: int, rounds: int = _ROUNDS) -> Result:
    """While SQL is away, so many leases are made and ended as fast as while it is there.

    In turns, and the best of each counts: what else the machine does can only make one slower. ``unmirrored`` is what
    the pool does alone.
    """
    rates: dict[str, list[float]] = {name: [] for name in ("unmirrored", "there", *WAYS)}
    async with Scene.open(redis_url, "unslowed") as scene:
        for _ in range(rounds):
            rates["unmirrored"].append(await lives(scene.pool, leases))
            async with scene.mirrored():
                rates["there"].append(await lives(scene.pool, leases))
                await scene.caught_up()
                for way in WAYS:
                    async with scene.away(way):
                        rates[way].append(await lives(scene.pool, leases))
                    await scene.caught_up()
    best = {name: max(found) for name, found in rates.items()}
    ratios = {way: round(best[way] / best["there"], 3) for way in WAYS}
    broken = [f"{ratio} times as fast while SQL was {way}" for way, ratio in ratios.items() if ratio < LEAST_RATIO]
    all_rates = {name: [round(rate) for rate in found] for name, found in rates.items()}
    return Result({"leases": leases, "ratios": ratios, "leases_per_s": all_rates}, broken)

"""How far SQL is behind while the pool writes events at an even pace."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.database import open_database
from service.mirror.mirror import Mirror
from service.pool.pool import Pool, open_pool
from tests.load.first_day import until
from tests.load.lives import EVENTS_A_LIFE, life, ready
from tests.load.result import Result
from tests.mirror.servers import Server, mariadb, postgresql

PACE = 1_000
"""Events a second."""
MOST_LAG = 2.0
_LEAST_SHARE = 0.95
"""Of the pace that was meant."""
_LOOK = 0.05
_AT_ONCE = 32
_WITHIN = 120.0
_SHARES = {"p50_s": 0.5, "p99_s": 0.99, "worst_s": 1.0}


@dataclass(frozen=True, slots=True)
class Paced:
    """Events a second as ``meant`` and as they were written; ``lags`` in seconds as they were seen, sorted."""

    meant: int
    events_per_s: float
    lags: list[float]

    @property
    def figures(self) -> dict[str, float]:
        last = len(self.lags) - 1
        lags = {name: round(self.lags[int(share * last)], 2) for name, share in _SHARES.items()}
        return {"events_per_s": round(self.events_per_s), **lags}

    @property
    def broken(self) -> list[str]:
        broken = []
        if self.lags[-1] > MOST_LAG:
            broken.append(f"SQL was {self.lags[-1]:.1f} s behind")
        if self.events_per_s < _LEAST_SHARE * self.meant:
            broken.append(f"this machine made only {self.events_per_s:.0f} events a second")
        return broken


async def paced(pool: Pool, engine: AsyncEngine, seconds: float, pace: int = PACE) -> Paced:
    """The mirror's own loop follows ``pool``, in the process that makes so many events a second so long."""
    mirror = Mirror(pool, engine)
    await mirror.catch_up()
    lags: list[float] = []
    mirror.loop.start()
    try:
        watching = asyncio.create_task(_watch(pool, lags))
        made = await _at_pace(pool, seconds, pace)
        watching.cancel()
        await until(lambda: _holds_all(pool), _WITHIN)
    finally:
        await mirror.loop.stop(_WITHIN)
    return Paced(pace, made, sorted(lags))


async def lag(redis_url: str, seconds: int) -> Result:
    """On each database the mirror is at most two seconds behind a pool of 4,000."""
    figures, broken = {}, []
    databases = {"sqlite": _sqlite(), "postgresql": _served(postgresql), "mariadb": _served(mariadb)}
    for name, opened in databases.items():
        with opened as database_url:
            async with open_pool(redis_url, f"lag-{name}") as pool, open_database(database_url) as engine:
                await ready(pool, 4_000)
                found = await paced(pool, engine, seconds)
                figures[name] = found.figures
                broken += [f"{name}: {one}" for one in found.broken]
    return Result(figures, broken)


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/mirror.db"


@contextmanager
def _served(serve: Callable[[], AbstractContextManager[Server]]) -> Iterator[str]:
    with serve() as server:
        yield server.url(server.first)


async def _at_pace(pool: Pool, seconds: float, pace: int) -> float:
    """Answers how many events a second there were."""
    every = EVENTS_A_LIFE / pace
    count = int(seconds / every)
    turns = asyncio.Semaphore(_AT_ONCE)
    begun = time.perf_counter()

    async def one(number: int) -> None:
        async with turns:
            await life(pool, number)

    async with asyncio.TaskGroup() as living:
        for number in range(count):
            if (early := begun + number * every - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            living.create_task(one(number))
    return EVENTS_A_LIFE * count / (time.perf_counter() - begun)


async def _watch(pool: Pool, lags: list[float]) -> None:
    """Looks from outside: at what Redis was told and at what it holds beyond."""
    while True:
        since = await pool.waiting_since(await pool.mirrored_to())
        lags.append(0.0 if since is None else max(0.0, (pool.clock.now() - since) / 1000))
        await asyncio.sleep(_LOOK)


async def _holds_all(pool: Pool) -> bool:
    return await pool.waiting_since(await pool.mirrored_to()) is None

"""A pool of a million proxies, compared with its table, and followed; on PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import Comparison
from service.embedded import embedded
from service.mirror.compare import Comparer
from service.mirror.database import open_database
from service.mirror.mirror import Mirror
from service.models import Protocol, ProxySpec
from service.pool.pool import Pool, open_pool
from tests.load.blocked import forget, uninterrupted, worst
from tests.load.lives import let_out
from tests.load.measure import fill
from tests.load.paced import paced
from tests.load.result import Result
from tests.load.simulated import SERVER
from tests.mirror.servers import postgresql

POOL = "million"
MOST_GROWTH = 32 * 1024 * 1024
"""Bytes by which a full comparison may make the process larger, whatever the size of the pool."""
MOST_BLOCKED_MS = 5.0
_BATCH = 1_000
_FEW_EVENTS = 1_000
_PACED = 30.0


async def million(_redis_url: str, proxies: int, seconds: float = _PACED) -> Result:
    """A full comparison in bounded memory that never blocks Redis for more than five milliseconds by one call, and a
    mirror that is at most two seconds behind a thousand events a second.

    The stream is too short for the import's events, so the first comparison makes the table. The Redis is one of its
    own, and where that is allowed nothing interrupts it.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with embedded(Path(folder)) as redis_url, open_pool(redis_url, POOL) as pool:
            uninterrupted((await pool.redis.info("server"))["process_id"])
            with postgresql() as server:
                async with open_database(server.url(server.first)) as engine:
                    return await _measured(pool, engine, proxies, seconds)


async def _measured(pool: Pool, engine: AsyncEngine, proxies: int, seconds: float) -> Result:
    comparer = Comparer(Mirror(pool, engine))
    figures: dict[str, Any] = {"proxies": proxies}
    await forget(pool.redis)
    figures["importing"] = {"seconds": round(await _fill(pool, proxies)), "redis_ms": await worst(pool.redis)}
    figures["redis_mib"] = (await pool.redis.info("memory"))["used_memory"] >> 20
    await let_out(pool)
    print(f"filled: {figures}", file=sys.stderr, flush=True)
    broken: list[str] = []
    longest: list[float] = []
    for name, differences in (("making", max(0, proxies - _FEW_EVENTS)), ("comparing", 0)):
        await forget(pool.redis)
        begun = time.perf_counter()
        compared, grown = await _growing(comparer.compare())
        took = round(time.perf_counter() - begun)
        calls = await worst(pool.redis)
        figures[name] = {"seconds": took, "grown_mib": round(grown / 2**20, 1), "redis_ms": calls}
        print(f"{name}: {figures[name]}", file=sys.stderr, flush=True)
        longest.append(max(call["p100"] for call in calls.values()))
        if (compared.compared, compared.differences) != (proxies, differences):
            broken.append(f"{name}: {compared.compared} compared, {compared.differences} differences")
        if grown > MOST_GROWTH:
            broken.append(f"{name}: memory grew by {grown >> 20} MiB")
    if min(longest) > MOST_BLOCKED_MS:  # the better one counts: what else the machine does can only make a call longer
        broken.append(f"comparing blocked Redis for {min(longest)} ms")
    await forget(pool.redis)
    found = await paced(pool, engine, seconds)
    figures["following"] = found.figures | {"redis_ms": await worst(pool.redis)}
    return Result(figures, broken + [f"following: {one}" for one in found.broken])


async def _fill(pool: Pool, count: int) -> float:
    """Imports so many, of the benchmark network, into a stream that soon drops their events; answers the seconds."""
    await pool.configure([SERVER], events_max=_FEW_EVENTS)
    seconds = 0.0
    for start in range(0, count, _BATCH):
        batch = [_spec(number) for number in range(start, min(start + _BATCH, count))]
        seconds += await fill(pool, batch, batch=_BATCH)
    return seconds


def _spec(number: int) -> ProxySpec:
    port, address = divmod(number, 62_500)
    host = f"198.18.{address // 250}.{address % 250 + 1}"
    return ProxySpec(Protocol.HTTP, host, 8080 + port, "user", f"secret{number}")


async def _growing(work: Coroutine[Any, Any, Comparison]) -> tuple[Comparison, int]:
    """What ``work`` answers, and by how many bytes this process was larger meanwhile, at most."""
    process = psutil.Process()
    before = most = process.memory_info().rss
    working = asyncio.create_task(work)
    while not working.done():
        await asyncio.wait([working], timeout=0.1)
        most = max(most, process.memory_info().rss)
    return await working, most - before

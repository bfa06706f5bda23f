"""Whole lives of leases on the pool alone: acquire, confirm, and the release in five steps."""

from __future__ import annotations

import asyncio
import time

from service.pool.batches import Wish
from service.pool.models import Evidence, Waits
from service.pool.pool import Pool
from tests.load.measure import fill, specs
from tests.load.simulated import SERVER

EVENTS_A_LIFE = 7
WORKERS = 16
_INSTANCES = 1_000


async def ready(pool: Pool, proxies: int) -> None:
    """Imports so many proxies and lets them be handed out."""
    await fill(pool, specs(proxies))
    await let_out(pool)


async def let_out(pool: Pool) -> None:
    """The pool hands its proxies out, and its stream keeps a million events."""
    await pool.configure([SERVER], events_max=1_000_000)
    await pool.mark_read(SERVER, epoch=await pool.epoch(), listed=0)


async def lives(pool: Pool, count: int) -> float:
    """So many lives, by sixteen workers; answers how many a second."""
    work = iter(range(count))

    async def worker() -> None:
        for number in work:
            await life(pool, number)

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return count / (time.perf_counter() - begun)


async def life(pool: Pool, number: int) -> None:
    """One life, of :data:`EVENTS_A_LIFE` transitions with an event each. At most a thousand may be under way."""
    instance = f"i{number % _INSTANCES}"
    outcome = (await pool.acquire(SERVER, [Wish(instance, instance)], reason="load"))[0]
    assert outcome.word == "LEASED", outcome
    lease = await pool.lease(outcome.proxy_id)
    assert lease is not None
    await pool.confirm(lease)
    await pool.begin_release(lease, Waits.ROW, reason="load")
    await pool.begin_clear(lease)
    await pool.row_cleared(lease, "off")
    await pool.mark(lease, "down")
    await pool.finish_release(lease, Evidence.MOVED)

"""Each test here ends with the promises held: no shared exit, a clean check, every figure recomputed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from service.pool.pool import Pool
from tests.control.scene import Scene
from tests.lua.stage import MovedClock
from tests.virtual import VirtualLoop


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], VirtualLoop]]:
    """No time limit here expires because the machine is slow."""
    return {"virtual": VirtualLoop}


@pytest.fixture
async def pool(redis: Redis) -> Pool:
    """An empty pool on a clock that the test moves; no server was read yet."""
    pool = Pool(redis, "test", clock=MovedClock())
    await pool.renew_epoch("life")
    return pool


@pytest.fixture
async def blank(pool: Pool) -> AsyncIterator[Scene]:
    """A server that was never read, and an empty pool."""
    assert isinstance(pool.clock, MovedClock)
    async with Scene.open(pool, pool.clock) as scene:
        yield scene


@pytest.fixture
async def scene(blank: Scene) -> Scene:
    """Three proxies, a server that was read, and no instance."""
    await blank.add(3)
    await blank.tick()
    return blank


@pytest.fixture
async def pool_of_two(pool: Pool) -> AsyncIterator[Scene]:
    """Two servers, ``a`` and ``b``, that were never read, and an empty pool."""
    assert isinstance(pool.clock, MovedClock)
    async with Scene.open(pool, pool.clock, "a", "b") as scene:
        yield scene

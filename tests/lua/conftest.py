"""Each test of a script runs on a real Redis and on fakeredis, and leaves the pool with its promises kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from tests.lua.invariants import assert_invariants, dump
from tests.lua.stage import MovedClock, RepeatedPool, Stage


@pytest.fixture(params=[pytest.param("redis", marks=pytest.mark.redis), "fakeredis"])
async def redis(request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    """A client of an empty database."""
    if request.param == "fakeredis":
        async with FakeAsyncRedis(decode_responses=True) as fake:
            yield fake
        return
    async with Redis.from_url(request.getfixturevalue("redis_url"), decode_responses=True) as client:
        yield client
        await client.flushall()


@pytest.fixture
async def stage(redis: Redis) -> AsyncIterator[Stage]:
    """An empty pool with one server, ``a``, whose gate is open. Every transition is sent twice, and after the test the
    pool's own check and the second computation have to find nothing broken."""
    clock = MovedClock()
    pool = RepeatedPool(redis, "test", clock=clock)
    await pool.renew_epoch("life")
    stage = Stage(pool, clock)
    await stage.open()
    yield stage
    assert [one async for one in pool.check() if not isinstance(one, int)] == []
    assert_invariants(await dump(redis, pool.keys.root), clock.now())

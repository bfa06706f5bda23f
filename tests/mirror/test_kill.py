"""The mirror is killed at every await and at random: each event is in SQL once, and the table is as the pool."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.mirror import Mirror
from service.mirror.schema import EVENTS, POSITION
from service.pool.pool import Pool, open_pool
from tests.lua.stage import MovedClock, Stage
from tests.mirror.lives import BATCH, Lives
from tests.mirror.scene import Life, assert_events_once, assert_table_equals_pool, rows, stream, told

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(600)]

NEW = BATCH + 2
"""Each life finds two batches."""
STRIDE = int(os.environ.get("MIRROR_STRIDE", "13"))
"""One of so many moments is one to be killed at; the soak says 1. Odd, as each await has two: begin and end."""
KILLS = 10
"""How many times under load; the soak kills 200 times on PostgreSQL (tests/load/killed.py)."""


@pytest.fixture
def lives(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Lives]:
    with Lives.open(tmp_path, redis_url, database_url) as lives:
        yield lives


@pytest.fixture
async def stage(redis: Redis, redis_url: str) -> Stage:
    async with open_pool(redis_url, "test"):
        pass  # its connection has begun the epoch of the server's life, as those of the lives would
    clock = MovedClock()
    stage = Stage(Pool(redis, "test", clock=clock), clock)
    await stage.open()
    return stage


@pytest.fixture
async def life(stage: Stage) -> Life:
    await stage.add(12)
    return Life(stage, seed=6)


async def assert_a_beginning(engine: AsyncEngine, stage: Stage) -> None:
    """SQL holds the history up to its position, and nothing else."""
    history = await stream(stage)
    found = [told(row) for row in await rows(engine, EVENTS)]
    assert found == history[: len(found)]
    start = {"epoch": 0, "seq": 0}  # before a life has come as far as to make the row
    [place] = await rows(engine, POSITION) or [start]
    assert f"{place['epoch']}-{place['seq']}" == (found[-1][0] if found else "0-0")


async def test_killed_at_any_moment(lives: Lives, life: Life, stage: Stage, engine: AsyncEngine) -> None:
    await Mirror(stage.pool, engine).catch_up()
    moment, outlived = 1 - STRIDE, 0
    while outlived < 2:  # a life whose events fit into fewer round trips may be shorter than the next one
        moment += STRIDE
        before = len(await stream(stage))
        while len(await stream(stage)) < before + NEW:
            await life.happen(1)
        outlived = outlived + 1 if await lives.live(stage, moment) else 0
        await assert_a_beginning(engine, stage)
    assert moment > 100
    await Mirror(stage.pool, engine).catch_up()
    await assert_events_once(engine, await stream(stage))
    await assert_table_equals_pool(engine, stage.pool)


async def test_killed_at_random_under_load(lives: Lives, life: Life, stage: Stage, engine: AsyncEngine) -> None:
    draw = random.Random(7)
    for _ in range(KILLS):
        pid = await lives.go_on(stage)
        end = time.monotonic() + draw.uniform(0.02, 0.3)
        while time.monotonic() < end:
            await life.happen(10)
        os.kill(pid, signal.SIGKILL)
        await assert_a_beginning(engine, stage)
    await Mirror(stage.pool, engine).catch_up()
    assert len(await rows(engine, EVENTS)) > KILLS
    await assert_events_once(engine, await stream(stage))
    await assert_table_equals_pool(engine, stage.pool)

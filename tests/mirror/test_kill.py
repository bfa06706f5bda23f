"""The mirror is killed at every await and at random: each event is in SQL once, and the table is as the pool."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.mirror import Mirror
from service.mirror.schema import EVENTS, POSITION
from service.pool.pool import Pool, open_pool
from tests.lua.stage import MovedClock, Stage
from tests.mirror.kill_child import LIVED, Order
from tests.mirror.scene import Life, assert_events_once, assert_table_equals_pool, rows, stream, told

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
BATCH, NEW = 5, 7
"""Each life finds two batches."""
STRIDE = int(os.environ.get("MIRROR_STRIDE", "7"))
"""One of so many moments is one to be killed at; the soak says 1. Odd, as each await has two: begin and end."""
KILLS = int(os.environ.get("MIRROR_KILLS", "10"))
"""How many times under load; the soak says 200."""


class Lives:
    """Where lives of a mirror come from."""

    def __init__(self, nursery: subprocess.Popen[str], folder: Path, redis_url: str, database_url: str) -> None:
        self._nursery = nursery
        self._folder = folder
        self._urls = {"redis_url": redis_url, "database_url": database_url}
        self._count = 0

    def begin(self, stage: Stage, *, moment: int = 0, forever: bool = False) -> Path:
        """Begins a life; answers the FIFO that it tells."""
        self._count += 1
        fifo = self._folder / f"life{self._count}"
        os.mkfifo(fifo)
        order = Order(
            str(fifo),
            pool=stage.pool.name,
            batch=BATCH,
            now=stage.clock.at,
            moment=moment,
            forever=forever,
            **self._urls,
        )
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(orjson.dumps(asdict(order)).decode() + "\n")
        self._nursery.stdin.flush()
        return fifo

    async def live(self, stage: Stage, moment: int) -> bool:
        """Whether the life outlived that moment."""
        lines = (await asyncio.to_thread(self.begin(stage, moment=moment).read_text)).splitlines()
        assert lines, "it did not begin"
        return lines[-1] == LIVED


@pytest.fixture
def lives(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Lives]:
    command = [sys.executable, "-m", "tests.mirror.kill_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT) as nursery:
        yield Lives(nursery, tmp_path, redis_url, database_url)


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
        fifo = lives.begin(stage, forever=True)
        pid = int(await asyncio.to_thread(_first_line, fifo))
        end = asyncio.get_running_loop().time() + draw.uniform(0.02, 0.3)
        while asyncio.get_running_loop().time() < end:
            await life.happen(1)
        os.kill(pid, signal.SIGKILL)
        await assert_a_beginning(engine, stage)
    await Mirror(stage.pool, engine).catch_up()
    assert len(await rows(engine, EVENTS)) > 10 * KILLS
    await assert_events_once(engine, await stream(stage))
    await assert_table_equals_pool(engine, stage.pool)


def _first_line(fifo: Path) -> str:
    with fifo.open() as told_by:
        return told_by.readline()

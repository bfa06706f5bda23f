"""The mirror is killed again and again, in processes of its own, while the pool lives on; on PostgreSQL."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from pathlib import Path

from redis.asyncio import Redis

from service.mirror.database import open_database
from service.mirror.migrate import migrate
from service.mirror.mirror import Mirror
from service.pool.pool import Pool, open_pool
from tests.load.result import Result
from tests.load.trail import Trail
from tests.lua.stage import MovedClock, Stage
from tests.mirror.lives import Lives
from tests.mirror.scene import Life
from tests.mirror.servers import postgresql

POOL = "killed"


async def killed(redis_url: str, kills: int) -> Result:
    """At any time SQL holds a beginning of the history, each event once and in its order; after the last kill all of
    it, and the table is as the pool."""
    draw, amid = random.Random(7), 0
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as folder, postgresql() as server:
        database_url = server.url(server.first)
        async with (
            open_database(database_url) as engine,
            Redis.from_url(redis_url, decode_responses=True) as redis,
            open_pool(redis_url, POOL),  # begins the epoch of the server's life, as the lives would
        ):
            await migrate(engine)
            clock = MovedClock()
            stage = Stage(Pool(redis, POOL, clock=clock), clock)
            await stage.open()
            await stage.add(12)
            life, trail = Life(stage, seed=6), Trail(stage.pool, engine)
            with Lives.open(Path(folder), redis_url, database_url) as lives:
                for _ in range(kills):
                    pid = await lives.go_on(stage)
                    end = time.monotonic() + draw.uniform(0.02, 0.3)
                    while time.monotonic() < end:
                        await life.happen(5)
                    os.kill(pid, signal.SIGKILL)
                    broken += await trail.compare()
                    amid += trail.left > 0
            left = trail.left
            await Mirror(stage.pool, engine).catch_up()
            broken += await trail.compare_all()
    figures = {"kills": kills, "amid": amid, "left_by_the_last": left, "events": len(trail)}
    return Result(figures, broken)

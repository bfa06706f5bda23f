"""Figures to compare releases by: ``python -m tests.load.bench``. Nothing here is a promise."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
import uvloop

from service.control.controller import Controller
from service.embedded import embedded
from service.pool.pool import open_pool
from service.settings import Settings
from tests.load import soak
from tests.load.lives import EVENTS_A_LIFE, lives, ready
from tests.load.measure import all_hold, fill, specs
from tests.load.simulated import SERVER, simulated

TICKS = 10


async def imports(redis_url: str, count: int = 20_000) -> dict[str, Any]:
    async with open_pool(redis_url, "imports") as pool:
        first, again = [await fill(pool, specs(count)) for _ in range(2)]
    return {"count": count, "new_per_s": round(count / first), "unchanged_per_s": round(count / again)}


async def lives_of_leases(redis_url: str, count: int = 2000) -> dict[str, Any]:
    """Whole lives of leases on the pool alone: acquire, confirm, and the release in five steps."""
    async with open_pool(redis_url, "lives") as pool:
        await ready(pool, count)
        rate = await lives(pool, count)
    return {"lives_per_s": round(rate), "transitions_per_s": round(EVENTS_A_LIFE * rate)}


async def quiet_ticks(redis_url: str, instances: int) -> dict[str, Any]:
    """What a look costs when nothing has changed; ``cpu_ms`` is this process' share, without server and Redis."""
    async with (
        simulated(at_once=True) as server,
        server.client() as client,
        open_pool(redis_url, f"t{instances}") as pool,
    ):
        await fill(pool, specs(instances))
        settings = Settings(
            evolution_api_base_url=server.url, global_api_key=server.api_key, apply="next-connect", sets_in_flight=32
        )
        controller = Controller(pool, {SERVER: client}, settings)
        await controller.configure()
        await server.create("instance-", instances)
        control = controller.server(SERVER)
        await control.tick()
        await all_hold(pool, instances)
        await control.tick()
        walls, cpus = [], []
        for _ in range(TICKS):
            wall, cpu = time.perf_counter(), time.process_time()
            await control.tick()
            walls.append(1000 * (time.perf_counter() - wall))
            cpus.append(1000 * (time.process_time() - cpu))
        await controller.stop(1)
    return {"median_ms": round(statistics.median(walls)), "cpu_ms": round(statistics.median(cpus))}


async def _run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with embedded(Path(folder)) as redis_url:
            document: dict[str, Any] = {"import": await imports(redis_url), "pool": await lives_of_leases(redis_url)}
            document["acquire"] = (await soak.acquire(redis_url, 2000)).figures
            for instances in (2000, 4000):
                document[f"tick_{instances}"] = await quiet_ticks(redis_url, instances)
            document["assign_2000"] = (await soak.assign(redis_url, 2000, rounds=1)).figures
    print(orjson.dumps(document).decode())


if __name__ == "__main__":
    sys.exit(uvloop.run(_run()))

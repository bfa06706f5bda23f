"""Redis is emptied under the running service, and restored from SQL beside it."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from service.pool.models import Broken, Lease
from service.pool.pool import Pool, open_pool
from tests.load.first_day import POOL, TOKEN, Service, serving, until
from tests.load.measure import fill, specs
from tests.load.simulated import ROOT, SERVER, Simulated

_PACE = {"EVOPROXY_POLL_INTERVAL": "2", "EVOPROXY_RESTART_RATE": "1000", "EVOPROXY_RESTART_BURST": "1000"}
_WITHIN = 900.0


@dataclass(frozen=True, slots=True)
class Emptied:
    """``restoring`` and ``reading`` are seconds: of the command, and from its end until the server was read again.
    ``moved`` leases are not what they were; ``calls`` are sets and restarts since Redis was emptied, ``shared`` exits
    that two instances had."""

    instances: int
    restored: int
    leases: int
    restoring: float
    reading: float
    moved: int
    broken: int
    drift: int
    calls: int
    shared: int


async def emptied(redis_url: str, server: Simulated, folder: Path, instances: int) -> Emptied:
    """The server has so many open instances, the pool twice as many proxies."""
    async with open_pool(redis_url, POOL) as pool:
        await fill(pool, specs(2 * instances))
        await server.create("n", instances)
        async with serving(redis_url, server, folder, **_PACE) as service:
            await until(lambda: _settled(service, pool, instances), _WITHIN)
            before, calls = await pool.leases_of(SERVER), await _calls(server)
            await pool.redis.flushall()
            await until(lambda: _noticed(pool, instances), _WITHIN)
            begun = time.perf_counter()
            told = await _restore(redis_url, folder)
            done = time.perf_counter()
            await until(lambda: _read_again(pool), _WITHIN)
            read = time.perf_counter()
            await pool.set_superadmin(TOKEN)  # tokens can't be restored
            await until(lambda: _settled(service, pool, instances), _WITHIN)
            after = await pool.leases_of(SERVER)
            found = await server.figures()
            return Emptied(
                instances=instances,
                restored=told["restored"],
                leases=told["leases"],
                restoring=round(done - begun, 1),
                reading=round(read - done, 1),
                moved=sum(_is(before.get(key)) != _is(after.get(key)) for key in before.keys() | after.keys()),
                broken=len([one async for one in pool.check() if isinstance(one, Broken)]),
                drift=len((await service.get("/drift"))["items"]),
                calls=found["sets"] + found["restarts"] - calls,
                shared=found["shared"],
            )


async def _restore(redis_url: str, folder: Path) -> dict[str, Any]:
    """``evoproxy restore``."""
    env = {"REDIS_URL": redis_url, "EVOPROXY_POOL": POOL, "EVOPROXY_DATA_DIR": str(folder / "data")}
    command = (sys.executable, "-m", "service.cli", "restore", "--json")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    told: dict[str, Any] = orjson.loads(output)
    return told


async def _settled(service: Service, pool: Pool, instances: int) -> bool:
    """Every instance goes out through its own proxy, nothing is under way, and SQL holds all of it."""
    service.assert_runs()
    try:
        stats = await service.get("/stats")
    except aiohttp.ClientError:  # it does not listen yet, or knows no token any more
        return False
    waits = stats["unprotected"] + stats["reserved"] + stats["releasing"]
    mirrored = await pool.waiting_since(await pool.mirrored_to()) is None
    return bool(stats["used"] == instances and waits == 0 and mirrored)


async def _noticed(pool: Pool, instances: int) -> bool:
    """The service has looked at its server and found a pool that knows none of the proxies there."""
    stats = await pool.stats()
    return stats.external == instances and bool(stats.servers[SERVER].remembered.get("read_epoch"))


async def _read_again(pool: Pool) -> bool:
    return (await pool.server(SERVER)).get("read_epoch") == await pool.epoch()


async def _calls(server: Simulated) -> int:
    found = await server.figures()
    return int(found["sets"] + found["restarts"])


def _is(lease: Lease | None) -> tuple[str, ...] | None:
    return (lease.proxy_id, lease.token, lease.phase, lease.applied) if lease else None

"""The first day: every instance is open and none has a proxy. The service runs in a process of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped]

from service.pool.pool import Pool, open_pool
from tests.load.measure import fill, specs
from tests.load.simulated import ROOT, Simulated

POOL = "firstday"
TOKEN = "the-superadmins-own-secret"
_SETS_WITHIN = 600.0
_RECONNECT_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class FirstDay:
    """Seconds are real. ``setting``: until all rows were written; ``cpu``: the share of one core that the service took
    while restarts waited for their turns, over ``watched`` seconds; ``unprotected`` and ``eta``: the figures at the
    begin and at the end of that; ``restarted``: restarts in that time; the last three: what a restart of the server
    brought, over ``watched`` seconds more."""

    instances: int
    setting: float
    peak: int
    sets: int
    held: int
    watched: float
    cpu: float
    unprotected: tuple[int, int]
    eta: tuple[int, int]
    restarted: int
    released_by_restart: int
    sets_by_restart: int
    cpu_after_restart: float


@dataclass(slots=True)
class Service:
    """``evoproxy serve`` in a process of its own."""

    url: str
    _process: psutil.Process
    _log: Path

    def assert_runs(self) -> None:
        assert self._process.status() != psutil.STATUS_ZOMBIE, self._log.read_text()[-2000:]

    async def get(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.url}/api/v1{path}"
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session, session.get(url) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def stats(self) -> dict[str, Any]:
        return await self.get("/stats")

    async def cpu(self, seconds: float) -> float:
        """The share of one core that it takes in the next seconds."""
        before, begun = self._process.cpu_times(), time.perf_counter()
        await asyncio.sleep(seconds)
        after, took = self._process.cpu_times(), time.perf_counter() - begun
        return float(after.user + after.system - before.user - before.system) / took


@asynccontextmanager
async def serving(redis_url: str, server: Simulated, folder: Path, **settings: str) -> AsyncIterator[Service]:
    """The service, with ``settings`` beside those that it can't do without."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": redis_url,
        "EVOLUTION_API_BASE_URL": server.url,
        "GLOBAL_API_KEY": server.api_key.get_secret_value(),
        "EVOPROXY_POOL": POOL,
        "EVOPROXY_DATA_DIR": str(folder / "data"),
        "EVOPROXY_PORT": str(port),
        "EVOPROXY_SUPERADMIN_TOKEN": TOKEN,
        **settings,
    }
    command = (sys.executable, "-m", "service.cli", "serve")
    path = folder / "service.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        yield Service(f"http://127.0.0.1:{port}", psutil.Process(process.pid), path)
    finally:
        process.terminate()
        await process.wait()


async def first_day(redis_url: str, server: Simulated, folder: Path, instances: int, watch: float) -> FirstDay:
    """The server has so many open instances, the pool half as many more proxies."""
    async with open_pool(redis_url, POOL) as pool:
        await fill(pool, specs(instances + instances // 2))
        await server.create("n", instances)
        begun = time.perf_counter()
        async with serving(redis_url, server, folder) as service:
            await until(lambda: _all_set(service, pool, instances), _SETS_WITHIN)
            setting = time.perf_counter() - begun
            before, first = await server.figures(), await service.stats()
            cpu = await service.cpu(watch)
            after, last = await server.figures(), await service.stats()
            released = await _released(pool)
            await server.restart()
            await until(lambda: _all_through(server, instances), _RECONNECT_WITHIN)
            cpu_after = await service.cpu(watch)
            restarted = await server.figures()
            return FirstDay(
                instances=instances,
                setting=round(setting, 1),
                peak=before["peak"],
                sets=before["sets"],
                held=last["used"],
                watched=watch,
                cpu=round(cpu, 4),
                unprotected=(first["unprotected"], last["unprotected"]),
                eta=(first["etaSeconds"], last["etaSeconds"]),
                restarted=after["restarts"] - before["restarts"],
                released_by_restart=await _released(pool) - released,
                sets_by_restart=restarted["sets"] - after["sets"],
                cpu_after_restart=round(cpu_after, 4),
            )


async def _all_set(service: Service, pool: Pool, instances: int) -> bool:
    service.assert_runs()
    stats = await pool.stats()
    return stats.counts.used == instances and not stats.reserved


async def _all_through(server: Simulated, instances: int) -> bool:
    return bool((await server.figures())["through"] == instances)


async def _released(pool: Pool) -> int:
    """How many leases began to end, or ended."""
    entries: Any = await pool.redis.xrange(pool.keys.named("events"))
    return sum(fields["type"] in ("lease.releasing", "lease.released") for _, fields in entries)


async def until(condition: Callable[[], Awaitable[bool]], limit: float) -> None:
    async with asyncio.timeout(limit):
        while not await condition():  # noqa: ASYNC110 - neither Redis nor the other process sets an event
            await asyncio.sleep(0.25)

"""A storm over the whole service: it is killed, Redis is killed and restarted, Evolution errs, and instances live on
meanwhile. Then everything has to come to rest: ``python -m tests.load.chaos [MINUTES]``."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import orjson
import uvloop

from service.errors import StoreUnavailableError
from service.pool.pool import open_pool
from tests import redis_server
from tests.load.measure import fill, specs
from tests.load.simulated import ROOT, Simulated, simulated

POOL = "chaos"
INSTANCES, PROXIES = 120, 300
MINUTES = 2.0
POLL_INTERVAL = 1
RESTING = 240.0
"""Seconds for everything to come to rest: a recovery interval, and a paced restart for each open instance."""
QUIET_LOOKS = 3


class Site:
    """The service and its Redis, each to be killed and started anew."""

    def __init__(self, folder: Path, server: Simulated) -> None:
        self._folder = folder
        self._server = server
        self._redis = ExitStack()
        self._service: asyncio.subprocess.Process | None = None
        self.redis_url = ""

    def start_redis(self) -> None:
        """Kills the one that runs, as a crash does."""
        self._redis.close()
        self.redis_url = self._redis.enter_context(redis_server.running(self._folder, "--appendonly", "yes"))

    async def start_service(self) -> None:
        """Kills the one that runs, as a crash does."""
        await self._kill_service()
        env = {
            "PATH": os.environ["PATH"],
            "REDIS_URL": self.redis_url,
            "EVOLUTION_API_BASE_URL": self._server.url,
            "GLOBAL_API_KEY": self._server.api_key.get_secret_value(),
            "EVOPROXY_POOL": POOL,
            "EVOPROXY_DATA_DIR": str(self._folder / "data"),
            "EVOPROXY_PORT": "0",
            "EVOPROXY_POLL_INTERVAL": str(POLL_INTERVAL),
            "EVOPROXY_RELEASE_GRACE": "3",
            "EVOPROXY_RESTART_RATE": "20",
        }
        with (self._folder / "service.log").open("ab") as log:
            command = (sys.executable, "-m", "service.cli", "serve")
            self._service = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=env, stdout=log, stderr=log)

    async def err(self) -> None:
        """Evolution errs for some seconds."""
        await self._server.outage(True)
        await asyncio.sleep(random.uniform(1, 5))
        await self._server.outage(False)

    async def close(self) -> None:
        await self._kill_service()
        self._redis.close()

    async def _kill_service(self) -> None:
        if self._service is not None and self._service.returncode is None:
            self._service.kill()
            await self._service.wait()


async def storm(site: Site, server: Simulated, minutes: float) -> Counter[str]:
    struck: Counter[str] = Counter()
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        await asyncio.sleep(random.uniform(0.5, 6))
        await server.step(random.randint(1, 6))
        blow = random.choice(("service killed", "service killed", "redis killed", "evolution erred"))
        struck[blow] += 1
        if blow == "service killed":
            await site.start_service()
        elif blow == "redis killed":
            await asyncio.to_thread(site.start_redis)
        else:
            await site.err()
    return struck


async def rest(site: Site) -> dict[str, Any]:
    """What is still unrest when all has come to rest, or at the end of patience; empty is well."""
    end, quiet = time.monotonic() + RESTING, 0
    left: dict[str, Any] = {}
    while time.monotonic() < end and quiet < QUIET_LOOKS:
        await asyncio.sleep(POLL_INTERVAL)
        try:
            left = await _unrest(site.redis_url)
        except StoreUnavailableError as error:
            left = {"redis": str(error)}
        quiet = 0 if left else quiet + 1
    return left


async def _unrest(redis_url: str) -> dict[str, Any]:
    async with open_pool(redis_url, POOL) as pool:
        stats = await pool.stats()
        figures = {
            "broken": [str(one) async for one in pool.check() if not isinstance(one, int)],
            "reserved": stats.reserved,
            "releasing": stats.releasing,
            "unprotected": stats.unprotected,
            "unapplied": stats.unapplied,
            "stuck": stats.stuck,
            "idle": not stats.counts.used,
            "missing": PROXIES - stats.counts.total,
        }
    return {name: value for name, value in figures.items() if value}


async def _run(minutes: float) -> int:
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(simulated())
        site = Site(folder, server)
        stack.push_async_callback(site.close)
        site.start_redis()
        async with open_pool(site.redis_url, POOL) as pool:
            await fill(pool, specs(PROXIES))
        await server.begin(INSTANCES, INSTANCES // 2)
        await site.start_service()
        struck = await storm(site, server, minutes)
        calm = time.monotonic()
        left = await rest(site)
        shared = (await server.figures())["shared"]
        document = {
            "minutes": round((time.monotonic() - begun) / 60, 1),
            **struck,
            "rest_after_s": round(time.monotonic() - calm, 1),
            "unrest": left,
            "shared_exits": shared,
            "ok": not left and not shared,
        }
        if not document["ok"]:
            print((folder / "service.log").read_text()[-20_000:], file=sys.stderr)
    print(orjson.dumps(document).decode())
    return not document["ok"]


if __name__ == "__main__":
    sys.exit(uvloop.run(_run(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES)))

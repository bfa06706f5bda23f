"""What the bad hours happen to: two simulated servers, a Redis that can be restarted, evoproxy's own loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from service.control.context import Patience
from service.control.controller import Controller
from service.evolution.client import EvolutionClient
from service.evolution.models import RestartAnswer
from service.evolution.simulator import Condition, Endpoint, Instance, Paces, Simulator, Socket, Sockets, Warts
from service.pool.models import Rests
from service.pool.pool import Pool, open_pool
from service.settings import Settings
from tests import redis_server
from tests.load.measure import fill, specs
from tests.virtual import VirtualClock, VirtualLoop

SERVERS = ("a", "b")
SETTINGS = Settings(restart_rate=0.25, restart_burst=2, ban_rest=120, orphan_rest=420, set_settle=420)
"""A pace so slow that a restart too many shows among few instances; rests so short that proxies come round soon, yet
longer than any call is held and any ghost lives (director.py)."""
PACES = Paces(attempt=2.0, service={"proxy/set": (0.1, 0.6), "instance/fetchInstances": (0.02, 0.3)})
RESTS = Rests(settle_ms=round(1000 * SETTINGS.set_settle))
PATIENCE = Patience(watch_every=(0.05,) * 20 + (0.25,))


class WatchedClient(EvolutionClient):
    """Counts what it sends: ``restarts`` holds the loop's time of each, ``most_sets`` how many were in flight."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.restarts: list[float] = []
        self.most_sets = 0
        self._sets = 0

    async def restart(self, name: str) -> RestartAnswer:
        self.restarts.append(asyncio.get_running_loop().time())
        return await super().restart(name)

    async def _set(self, *args: Any, **kwargs: Any) -> None:
        self._sets += 1
        self.most_sets = max(self.most_sets, self._sets)
        try:
            await super()._set(*args, **kwargs)
        finally:
            self._sets -= 1


class Site:
    """Two servers ``a`` and ``b`` on one pool. The service may be restarted or killed, so may Redis. With ``webhooks``
    the servers tell the service what happens: late, twice and out of order."""

    def __init__(self, loop: VirtualLoop, folder: Path, instances: int) -> None:
        self.loop = loop
        self.instances = instances
        """How many each server has, about."""
        self.specs = specs(round(2.6 * instances) + 12)
        """The pool: hardly more than what is held, under probation or at rest, so that proxies change hands often."""
        self._folder = folder
        self._redis = ExitStack()
        self._clients = AsyncExitStack()
        self.sockets = Sockets()
        self.sims: dict[str, Simulator] = {}
        self.lives: list[dict[str, WatchedClient]] = []
        """Of each life of the service, its clients by server."""
        self.pool: Pool
        self.controller: Controller

    @classmethod
    @asynccontextmanager
    async def open(cls, loop: VirtualLoop, folder: Path, *, instances: int, webhooks: bool) -> AsyncIterator[Site]:
        """The servers run and hold no instance, the pool has its proxies, the service runs."""
        site = cls(loop, folder, instances)
        clock = VirtualClock(loop)
        async with AsyncExitStack() as stack:
            app = web.Application()
            app.router.add_post("/{server}/{event}", site._hinted)
            receiver = await stack.enter_async_context(TestServer(app))
            for number, name in enumerate(SERVERS):
                sim = Simulator(
                    webhook_url=str(receiver.make_url(f"/{name}")) if webhooks else None,
                    warts=Warts(webhooks_shuffled=3.0, webhooks_repeated=0.2),
                    paces=PACES,
                    sockets=site.sockets,
                    seed=number,
                    now=lambda: clock.now() / 1000,
                )
                site.sims[name] = await stack.enter_async_context(sim)
            stack.callback(lambda: site._redis.close())
            url = site.restart_redis()
            site.pool = await stack.enter_async_context(open_pool(url, "hours", clock=clock, rests=RESTS))
            await fill(site.pool, site.specs)
            await site.start()
            stack.push_async_callback(lambda: site.stop(deadline=0))
            yield site

    async def _hinted(self, request: web.Request) -> web.Response:
        """An event, as the service's own route takes it."""
        event = orjson.loads(await request.read())
        hints = self.controller.hints[request.match_info["server"]]
        hints.hint(event["instance"], event["event"], self.pool.clock.now())
        return web.Response()

    def restart_redis(self) -> str:
        """Kills the one that runs, as a crash does, and starts one on its files; time stands still meanwhile."""
        self._redis.close()
        return self._redis.enter_context(redis_server.running(self._folder, "--appendonly", "yes"))

    async def start(self) -> None:
        clients: dict[str, WatchedClient] = {}
        for name, sim in self.sims.items():
            opened = WatchedClient.open(name, sim.url, SecretStr(sim.api_key))
            client = await self._clients.enter_async_context(opened)
            assert isinstance(client, WatchedClient)
            clients[name] = client
        self.lives.append(clients)
        self.controller = Controller(self.pool, clients, SETTINGS, patience=PATIENCE)
        await self.controller.start()

    async def stop(self, *, deadline: float) -> None:
        """Ends the service; with no ``deadline`` as a kill does."""
        await self.controller.stop(deadline)
        await self._clients.aclose()

    async def restart_service(self, *, killed: bool) -> None:
        await self.stop(deadline=0 if killed else 7)
        await self.start()

    async def grow(self) -> None:
        """A human sees that the pool runs out, and imports more."""
        known = len(self.specs)
        self.specs = specs(known + self.instances // 3)
        await fill(self.pool, self.specs[known:])

    def condemn(self, endpoint: Endpoint, condition: Condition | None) -> None:
        """What the proxy does from now on, seen from either server; ``None``: it is alive again. Who goes out through
        one that dies loses its connection, or learns that it went silent."""
        for sim in self.sims.values():
            if condition is None:
                sim.conditions.pop(endpoint, None)
                continue
            sim.conditions[endpoint] = condition
            for one in list(sim.memory.values()):
                if one.socket is not None and one.socket.exit == endpoint:
                    (sim.hang if condition is Condition.SILENT else sim.drop)(one.name)

    def dead(self) -> list[Endpoint]:
        return list(self.sims["a"].conditions)

    def cast(self) -> list[tuple[str, Instance]]:
        """Every instance in memory, with its server, in the order of names."""
        return [(server, sim.memory[name]) for server, sim in self.sims.items() for name in sorted(sim.memory)]

    def live(self) -> list[Socket]:
        return list(self.sockets.exits())

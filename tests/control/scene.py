"""Simulated servers, a real pool and a controller, moved by hand: a test says when time passes and when is a tick."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from service.control.byhand import Given, assign, release, rotate
from service.control.context import Patience
from service.control.controller import Controller
from service.control.policy import Policy
from service.control.server import ServerControl
from service.errors import RefusedError
from service.evolution.client import EvolutionClient, Limits
from service.evolution.models import Row
from service.evolution.simulator import Endpoint, Instance, Paces, Simulator
from service.evolution.simulator.sockets import Sockets
from service.pool.models import Broken, Lease, Phase, Proxy, Status
from service.pool.pool import Pool
from service.settings import Settings
from tests.helpers import wait_until
from tests.lua.invariants import assert_invariants, dump
from tests.lua.stage import HOUR, MINUTE, MovedClock, spec

__all__ = ["HOUR", "MINUTE", "SECOND", "Scene", "spec"]

SECOND = 1000
PATIENCE = Patience(
    read_backs=(0.0, 0.01),
    first_backoff=0.0,
    longest_backoff=0.0,
    watch_for=2.0,
    down_within=1.0,
    watch_every=(0.002,),
    glances=(0.002,) * 20,
)
LIMITS = Limits(fetch_instances=2, connection_state=1, find_proxy=1, set_proxy=0.4, restart=1, connect=1)
PACES = Paces(0.005, 0.005, 0.005, attempt=0.01, delete=0.0, qr=0.005, create_qr=0.005, rejected_create=0.005)


class Scene:
    """One server ``a`` (and more by name) with its simulator. ``sim`` and ``control`` are those of ``a``."""

    def __init__(self, pool: Pool, clock: MovedClock) -> None:
        self.pool = pool
        self.clock = clock
        self.sockets = Sockets()
        self.sims: dict[str, Simulator] = {}
        self.clients: dict[str, EvolutionClient] = {}
        self.policy = Policy()
        self.patience = PATIENCE
        self.settings = Settings(restart_rate=1000, restart_burst=1000)
        self.controllers: list[Controller] = []

    @property
    def sim(self) -> Simulator:
        return self.sims["a"]

    @property
    def controller(self) -> Controller:
        return self.controllers[-1]

    @property
    def control(self) -> ServerControl:
        return self.controller.servers["a"]

    @classmethod
    @asynccontextmanager
    async def open(cls, pool: Pool, clock: MovedClock, *servers: str) -> AsyncIterator[Scene]:
        """A scene whose controller has not looked yet. At its end all that ran is over and every promise is held
        against the pool and the sockets."""
        scene = cls(pool, clock)
        async with AsyncExitStack() as stack:
            for name in servers or ("a",):
                sim = await stack.enter_async_context(
                    Simulator(paces=replace(PACES), sockets=scene.sockets, now=lambda: clock.at / 1000)
                )
                client = EvolutionClient.open(name, sim.url, SecretStr(sim.api_key), limits=LIMITS)
                scene.sims[name] = sim
                scene.clients[name] = await stack.enter_async_context(client)
            await scene.start()
            yield scene
            for controller in scene.controllers:
                await controller.stop(0.2)
            await scene.assert_promises()

    async def start(self, **settings: Any) -> Controller:
        """A further controller, as another process would be; the old ones are neither stopped nor forgotten."""
        controller = Controller(
            self.pool,
            self.clients,
            self.settings.model_copy(update=settings),
            policy=self.policy,
            patience=self.patience,
        )
        await controller.configure()
        self.controllers.append(controller)
        return controller

    async def kill(self) -> None:
        """The controller's process dies: nothing it was about to do happens any more."""
        await asyncio.gather(*(server.stop(0) for server in self.controllers.pop().servers.values()))

    async def restarted(self, **policy: Any) -> None:
        """A new controller with that policy takes over."""
        self.policy = replace(self.policy, **policy)
        if self.controllers:
            await self.kill()
        await self.start()

    async def hurry(self) -> None:
        """Restarts that do nothing are not watched for long."""
        self.patience = replace(self.patience, watch_for=0.05, down_within=0.05)
        await self.restarted()

    async def assert_promises(self) -> None:
        self.sockets.assert_no_shared_exit()
        assert [broken async for broken in self.pool.check() if isinstance(broken, Broken)] == []
        assert_invariants(await dump(self.pool.redis, self.pool.keys.root), self.clock.now())

    # time

    async def tick(self, pause: int = SECOND, *, server: str = "a", settle: bool = True) -> None:
        """``pause`` ms pass, the server is looked at, and all that follows from it has ended (unless told not to)."""
        self.clock.move(pause)
        await self.controller.servers[server].tick()
        if settle:
            await self.settle()

    async def ticks(self, number: int, pause: int = SECOND) -> None:
        for _ in range(number):
            await self.tick(pause)

    async def settle(self) -> None:
        """Nothing is under way any more."""
        for control in self.controller.servers.values():
            await wait_until(lambda control=control: len(control.acts) == 0, what="the acts end")  # type: ignore[misc]

    # the pool

    async def add(self, count: int = 1, first: int = 1, **fields: Any) -> list[str]:
        """Imports the proxies number ``first`` and on; answers their ids in the order of the line."""
        specs = [spec(number, **fields) for number in range(first, first + count)]
        for one in specs:
            await self.pool.import_proxies([one], stamp="s", actor="cli:test")
            self.clock.move(1)
        return [one.id for one in specs]

    async def proxy(self, proxy_id: str) -> Proxy:
        proxy = await self.pool.proxy(proxy_id)
        assert proxy is not None
        return proxy

    async def status(self, proxy_id: str) -> Status:
        return (await self.proxy(proxy_id)).status

    async def find_lease(self, instance: Instance, server: str = "a") -> Lease | None:
        return await self.pool.lease_of(server, instance.id)

    async def lease(self, instance: Instance, server: str = "a") -> Lease:
        lease = await self.find_lease(instance, server)
        assert lease is not None, f"{instance.name} holds nothing"
        return lease

    async def phase(self, instance: Instance) -> Phase | None:
        lease = await self.find_lease(instance)
        return lease.phase if lease else None

    async def events(self, type: str) -> list[dict[str, str]]:
        entries: Any = await self.pool.redis.xrange(self.pool.keys.named("events"))
        return [fields for _, fields in entries if fields["type"] == type]

    # the server

    def instance(self, name: str, **fields: Any) -> Instance:
        """A new open instance of ``a`` unless ``fields`` say otherwise."""
        return self.sim.create(name, **{"state": "open", **fields})

    async def served(self, name: str = "x") -> Instance:
        """An open instance that was given a proxy and goes out through it."""
        instance = self.instance(name)
        await self.tick()
        lease = await self.lease(instance)
        assert (lease.phase, lease.applied) == ("active", "yes")
        assert self.exit(instance) == lease.proxy_id
        return instance

    def exit(self, instance: Instance) -> str | None:
        """The id of the proxy that the instance's socket goes out through; ``None``: direct, ``"-"``: no socket."""
        if instance.socket is None:
            return "-"
        return instance.socket.exit and instance.socket.exit.id

    def row(self, instance: Instance) -> str | None:
        """The id of the proxy that the row names; ``None``: switched off or never set."""
        row = instance.row
        if row is None or not row.enabled:
            return None
        return Row(True, row.protocol, row.host, row.port, row.username, row.password).endpoint_id

    def endpoint(self, number: int) -> Endpoint:
        return Endpoint.of(spec(number))

    def calls(self, *routes: str) -> int:
        """How often ``a`` was asked: on these routes, or on all."""
        counts = self.sim.calls.counts
        return sum(counts[route] for route in routes) if routes else sum(counts.values())

    async def held(self) -> None:
        """A call is held until the simulator lets go."""
        await wait_until(lambda: self.sim.gate.waiting == 1, what="a call is held")

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        await wait_until(condition, what=what)

    # humans

    async def assign(self, name: str, **wish: Any) -> Given:
        return await assign(self.control, name, actor="cli:test", **wish)

    async def assign_refused(self, name: str, **wish: Any) -> str:
        """The code of the refusal."""
        with pytest.raises(RefusedError) as caught:
            await self.assign(name, **wish)
        return caught.value.code

    async def release(self, name: str, *, force: bool = False, lease: Lease | None = None) -> Lease | None:
        return await release(self.control, name, actor="cli:test", force=force, lease=lease)

    async def rotate(self, name: str, **wish: Any) -> Lease:
        return await rotate(self.control, name, actor="cli:test", **wish)

"""What evoproxy achieves: assignments beside what the server alone needs, acquire under contention, memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from service.control.controller import Controller
from service.evolution.client import EvolutionClient
from service.models import Protocol, ProxySpec
from service.pool.batches import Wish
from service.pool.pool import Pool, open_pool
from service.settings import Settings
from tests.load.simulated import SERVER, Simulated

SETS_IN_FLIGHT = 8
WARM = 32
"""Connections to Redis that a service which runs already has."""


def specs(count: int) -> list[ProxySpec]:
    """Endpoints of the benchmark network 198.18.0.0/15 (RFC 2544)."""
    return [
        ProxySpec(Protocol.HTTP, f"198.18.{number // 250}.{number % 250 + 1}", 8080, "user", f"secret{number}")
        for number in range(count)
    ]


async def fill(pool: Pool, proxies: list[ProxySpec], *, batch: int = 500) -> float:
    """Imports; answers the seconds that it took."""
    begun = time.perf_counter()
    for start in range(0, len(proxies), batch):
        await pool.import_proxies(proxies[start : start + batch], stamp="load", actor="cli:load")
    return time.perf_counter() - begun


def controller_of(pool: Pool, client: EvolutionClient, server: Simulated) -> Controller:
    settings = Settings(evolution_api_base_url=server.url, global_api_key=server.api_key, sets_in_flight=SETS_IN_FLIGHT)
    return Controller(pool, {SERVER: client}, settings)


@dataclass(frozen=True, slots=True)
class Assignments:
    """All instances opened at once. Seconds; ``alone`` is one list and a bare loop of set and find, as many in flight;
    ``peak`` the most sets that were in flight; ``distinct`` the proxies that are held in the end."""

    instances: int
    alone: float
    evoproxy: float
    peak: int
    distinct: int

    @property
    def ratio(self) -> float:
        return self.evoproxy / self.alone


async def assignments(redis_url: str, server: Simulated, instances: int, name: str) -> Assignments:
    """``instances`` open at once before the new pool ``name`` of twice as many proxies."""
    proxies = specs(2 * instances)
    async with server.client() as client:
        alone = await _alone(client, server, proxies[:instances])
    read_back = asyncio.Event()
    reads = iter(range(instances - 1))

    def on_call(call: str, outcome: str, seconds: float) -> None:
        if (call, outcome) == ("find_proxy", "ok") and next(reads, None) is None:
            read_back.set()

    async with open_pool(redis_url, name) as pool, server.client(on_call) as client:
        await fill(pool, proxies)
        controller = controller_of(pool, client, server)
        await controller.configure()
        await asyncio.gather(*(pool.epoch() for _ in range(WARM)))
        await server.create("waiting-", instances)
        begun = time.perf_counter()
        await controller.server(SERVER).tick()
        await read_back.wait()
        await all_hold(pool, instances)
        took = time.perf_counter() - begun
        held = {lease.proxy_id for lease in (await pool.leases_of(SERVER)).values()}
        peak = (await server.delete("waiting-"))["peak"]
        await controller.stop(0.1)
        return Assignments(instances, alone, took, peak, len(held))


async def all_hold(pool: Pool, instances: int) -> None:
    """Returns once so many leases stand and none is merely reserved."""
    while (stats := await pool.stats()).counts.used < instances or stats.reserved:  # noqa: ASYNC110 - Redis sets no event
        await asyncio.sleep(0.01)


async def _alone(client: EvolutionClient, server: Simulated, proxies: list[ProxySpec]) -> float:
    """What the server itself needs."""
    await server.create("alone-", len(proxies))
    work: Iterator[tuple[int, ProxySpec]] = iter(enumerate(proxies))

    async def lane() -> None:
        for number, spec in work:
            await client.set_proxy(f"alone-{number}", spec)
            row = await client.find_proxy(f"alone-{number}")
            assert row is not None
            assert row.names(spec)

    begun = time.perf_counter()
    await client.fetch_instances()
    await asyncio.gather(*(lane() for _ in range(SETS_IN_FLIGHT)))
    took = time.perf_counter() - begun
    await server.delete("alone-")
    return took


@dataclass(frozen=True, slots=True)
class Acquired:
    """``waits`` are the seconds of each call, sorted."""

    distinct: int
    seconds: float
    waits: list[float]

    def percentile(self, share: float) -> float:
        return self.waits[min(len(self.waits) - 1, int(share * len(self.waits)))]


async def acquired(redis_url: str, count: int, workers: int) -> Acquired:
    """``count`` instances get their proxies from a pool of exactly as many, by workers with a connection each."""
    async with AsyncExitStack() as stack:
        name = f"acquire{count}"
        pools = [await stack.enter_async_context(open_pool(redis_url, name, connections=1)) for _ in range(workers)]
        await fill(pools[0], specs(count))
        await pools[0].configure([SERVER], events_max=10 * count)
        await pools[0].mark_read(SERVER, epoch=await pools[0].epoch(), listed=0)
        work = iter(range(count))
        waits: list[float] = []
        given: list[str] = []

        async def worker(pool: Pool) -> None:
            for number in work:
                begun = time.perf_counter()
                outcome = (await pool.acquire(SERVER, [Wish(f"i{number}", f"n{number}")], reason="load"))[0]
                waits.append(time.perf_counter() - begun)
                assert outcome.word == "LEASED", outcome
                given.append(outcome.proxy_id)

        begun = time.perf_counter()
        await asyncio.gather(*(worker(pool) for pool in pools))
        seconds = time.perf_counter() - begun
        assert [one async for one in pools[0].check() if not isinstance(one, int)] == []
        return Acquired(len(set(given)), seconds, sorted(waits))


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of this process after the first tenth of the ticks and after all."""

    ticks: int
    early: int
    late: int

    @property
    def growth(self) -> float:
        return self.late / self.early - 1


async def memory(redis_url: str, server: Simulated, *, ticks: int, instances: int) -> Memory:
    """So many ticks, one right after the other, while instances come, drop, log out, are deleted and come back."""
    process = psutil.Process()
    early = 0
    async with open_pool(redis_url, f"memory{instances}") as pool, server.client() as client:
        await fill(pool, specs(2 * instances))
        controller = controller_of(pool, client, server)
        await controller.configure()
        control = controller.server(SERVER)
        await server.begin(instances, instances // 2)
        for number in range(1, ticks + 1):
            await control.tick()
            await pool.sweep(limit=200)
            await server.step(1)
            if number == ticks // 10:
                early = process.memory_info().rss
        late = process.memory_info().rss
        await controller.stop(1)
        return Memory(ticks, early, late)

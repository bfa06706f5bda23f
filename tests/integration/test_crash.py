"""The service is killed at every await of what it does, and the next start finishes or undoes it (DESIGN.md, P4)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr

from service.control.controller import Controller
from service.embedded import embedded
from service.evolution.client import EvolutionClient
from service.evolution.simulator import Paces, Simulator
from service.pool.batches import Wish
from service.pool.models import Applied, Lease, Phase
from service.pool.pool import Pool, open_pool
from service.settings import Settings
from tests.helpers import wait_until
from tests.integration.crash_child import INSTANCE, LIVED, SERVER, Act, Kill, Order
from tests.lua.stage import MINUTE, MovedClock, spec

pytestmark = [pytest.mark.redis, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parent.parent.parent
PROXIES = 5
LANES = 4
TRIES = 10
"""An await that a life comes to only at times, such as a wait for a lock, gets so many lives to be killed in."""
RESTARTED_IN = 1000
"""Ms from the kill to the next start."""
POLL_INTERVAL, TICKS = 30_000, 3
"""Ms. A recovery interval at the defaults holds the tick of the start and two more; the calls' limits end it."""


def busy() -> Paces:
    """Changes take long enough for a kill while they are under way, reconnects long enough to be seen."""
    paces = Paces(close=0.03, connecting=0.04, open=0.04)
    paces.service = {"proxy/set": (0.006, 0.009), "instance/restart": (0.006, 0.009)}
    return paces


@dataclass(slots=True)
class Site:
    """One Evolution server and one pool of five proxies, in which one instance lives."""

    redis_url: str
    sim: Simulator
    pool: Pool
    clock: MovedClock
    first: str = ""
    """The proxy that the instance held before."""

    async def lease(self) -> Lease:
        lease = await self.pool.lease(self.first)
        assert lease is not None
        return lease

    def exits(self) -> list[str | None]:
        return [exit_ and exit_.id for exit_ in self.sim.exits().values()]


async def waiting(site: Site) -> None:
    """An open instance without a proxy."""
    site.sim.create(INSTANCE, state="open")


async def reserved(site: Site) -> None:
    """A reservation that an earlier life left a minute ago."""
    instance = site.sim.create(INSTANCE, state="open")
    await site.pool.mark_read(SERVER, epoch=await site.pool.epoch(), listed=1)
    outcome = (await site.pool.acquire(SERVER, [Wish(instance.id, INSTANCE, opened=True)], reason="open"))[0]
    assert outcome.word == "LEASED"
    site.first = outcome.proxy_id


async def holding(site: Site) -> None:
    """An open instance that goes out through its proxy."""
    await reserved(site)
    proxy = await site.pool.proxy(site.first)
    assert proxy is not None
    await site.pool.confirm(await site.lease())
    site.sim.set_row_by_hand(INSTANCE, site.pool.spec_of(proxy))
    for note in ("opened", "down", "applied"):
        await site.pool.mark(await site.lease(), note)
    site.sim.open(INSTANCE)


async def logged_out(site: Site) -> None:
    """It held a proxy and was logged out for good."""
    await holding(site)
    site.sim.logout(INSTANCE)


async def holds(site: Site) -> str:
    """The proxy that the instance holds, by lease, row and socket alike, or ``""``: then the row is off, no socket goes
    out through a proxy, and all proxies are free."""
    leases = await site.pool.leases_of(SERVER)
    row, counts = site.sim.database[INSTANCE].row, (await site.pool.stats()).counts
    assert len(leases) <= 1
    if not leases:
        assert row is not None
        assert not row.enabled
        assert set(site.exits()) <= {None}
        assert counts.used == 0
        return ""
    lease = leases[site.sim.database[INSTANCE].id]
    assert (lease.phase, lease.applied) == (Phase.ACTIVE, Applied.YES)
    assert site.exits() == [lease.proxy_id]
    assert row is not None
    assert f"{row.host}:{row.port}" in {
        one.address for one in map(spec, range(1, PROXIES + 1)) if one.id == lease.proxy_id
    }
    assert counts.used == 1
    return lease.proxy_id


async def given(site: Site) -> None:
    held = await holds(site)
    assert held
    assert site.first in ("", held)
    assert (await site.pool.stats()).counts.available == PROXIES - 1


async def taken_back(site: Site) -> None:
    """By hand: what was not begun may be as if it had never been asked for."""
    if held := await holds(site):
        assert held == site.first
    assert (await site.pool.stats()).counts.available == PROXIES - bool(held)


async def moved(site: Site) -> None:
    held = await holds(site)
    assert held
    counts = (await site.pool.stats()).counts
    assert (counts.cooling, counts.available) == ((0, PROXIES - 1) if held == site.first else (1, PROXIES - 2))


async def gone(site: Site) -> None:
    assert await holds(site) == ""
    assert (await site.pool.stats()).counts.available == PROXIES


@dataclass(frozen=True, slots=True)
class Scenario:
    begin: Callable[[Site], Awaitable[None]]
    act: Act
    end: Callable[[Site], Awaitable[None]]


SCENARIOS = {
    "assignment": Scenario(waiting, "serve", given),
    "resumption": Scenario(reserved, "serve", given),
    "release by hand": Scenario(holding, "release", taken_back),
    "rotation by hand": Scenario(holding, "rotate", moved),
    "release after a final logout": Scenario(logged_out, "serve", gone),
}


class Lives:
    """Where lives of evoproxy come from."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._count = 0

    def name(self) -> str:
        """A new name."""
        self._count += 1
        return f"life{self._count}"

    async def live(self, site: Site, act: Act, at: str, kill: Kill) -> list[str]:
        """The awaits that a life on ``site`` came to before it was killed; :data:`LIVED` last if it was not."""
        fifo = self._folder / site.pool.name
        os.mkfifo(fifo)
        order = Order(str(fifo), site.redis_url, site.pool.name, site.sim.url, site.sim.api_key, act, at, kill)
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(asdict(order)).decode() + "\n")
        self._process.stdin.flush()
        return (await asyncio.to_thread(fifo.read_text)).splitlines()


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    command = [sys.executable, "-m", "tests.integration.crash_child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Lives(process, tmp_path_factory.mktemp("lives"))


@pytest.fixture
async def own_redis(tmp_path: Path) -> AsyncIterator[str]:
    """A Redis with AOF."""
    async with embedded(tmp_path) as url:
        yield url


async def one_life(lives: Lives, redis_url: str, scenario: Scenario, at: str, kill: Kill) -> list[str]:
    """Sets the scene, lets evoproxy live in it until it is killed, starts it again, and looks after one recovery
    interval. Answers the awaits that the first life came to."""
    async with (
        Simulator(paces=busy()) as sim,
        open_pool(redis_url, lives.name()) as pool,
        EvolutionClient.open(SERVER, sim.url, SecretStr(sim.api_key)) as client,
    ):
        pool.clock = clock = MovedClock(round(time.time() * 1000) - MINUTE)
        site = Site(redis_url, sim, pool, clock)
        await pool.configure([SERVER], events_max=1000)
        await pool.import_proxies([spec(number) for number in range(1, PROXIES + 1)], stamp="s", actor="cli:test")
        await scenario.begin(site)

        reached = await lives.live(site, scenario.act, at, kill)

        clock.at = round(time.time() * 1000) + RESTARTED_IN
        settings = Settings(evolution_api_base_url=sim.url, global_api_key=SecretStr(sim.api_key))
        controller = Controller(pool, {SERVER: client}, settings)
        await controller.configure()
        server = controller.server(SERVER)
        for _ in range(TICKS):
            await server.tick()
            await wait_until(lambda: len(server.acts) == 0, what="acts end")
            await sim.until(lambda: not sim.memory[INSTANCE].reconnecting)
            await pool.sweep(limit=PROXIES)
            clock.move(POLL_INTERVAL)

        assert [one async for one in pool.check() if not isinstance(one, int)] == []
        assert await pool.tails_of(SERVER) == []
        assert (await pool.stats()).counts.total == PROXIES
        sim.assert_no_shared_exit()
        await scenario.end(site)
        return reached


def kills_at(at: str) -> list[Kill]:
    return ["suspended", "in flight", "resumed"] if "transport.py" in at else ["suspended", "resumed"]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_killed_at_every_await(lives: Lives, own_redis: str, name: str) -> None:
    scenario = SCENARIOS[name]
    known: set[str] = set()
    to_do: list[tuple[str, Kill, int]] = []
    unvisited: list[tuple[str, Kill]] = []

    def learn(reached: list[str]) -> None:
        for at in reached:
            if at != LIVED and at not in known:
                known.add(at)
                to_do.extend((at, kill, TRIES) for kill in kills_at(at))

    async def lane() -> None:
        while to_do:
            at, kill, tries = to_do.pop()
            try:
                reached = await one_life(lives, own_redis, scenario, at, kill)
            except BaseException as error:
                error.add_note(f"killed at {at}, {kill}")
                raise
            learn(reached)
            if LIVED not in reached:
                continue
            if tries > 1:
                to_do.insert(0, (at, kill, tries - 1))
            else:
                unvisited.append((at, kill))

    learn(await one_life(lives, own_redis, scenario, "", ""))
    assert known, "no await was seen"
    async with asyncio.TaskGroup() as lanes:
        for _ in range(LANES):
            lanes.create_task(lane())
    assert not unvisited, f"of {len(known)} awaits"

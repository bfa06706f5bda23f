"""The life of the service and of Redis: stops, crashes, further instances of the service, lost writes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from service.evolution.simulator import Fault
from service.pool.models import Applied, Phase, Status, Waits
from service.pool.pool import Pool, open_pool
from tests import redis_server
from tests.control.scene import MINUTE, Scene, spec
from tests.helpers import wait_until
from tests.lua.stage import MovedClock


async def test_a_graceful_stop_lets_a_set_that_is_on_its_way_finish(scene: Scene) -> None:
    instance = scene.instance("x")
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, delay=0.1))
    await scene.tick(settle=False)
    await scene.sim.until(lambda: scene.calls("proxy/set") == 1)
    await scene.controller.stop(2.0)
    assert await scene.phase(instance) is Phase.ACTIVE


async def test_what_a_stop_cuts_off_is_resumed_by_the_next_start(scene: Scene) -> None:
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    instance = scene.instance("x")
    await scene.tick(settle=False)
    await scene.held()
    began = asyncio.get_running_loop().time()
    await scene.controller.stop(0.05)
    assert asyncio.get_running_loop().time() - began < 1
    await scene.kill()
    await scene.restarted(resume_after_ms=5_000)
    await scene.tick(4_999)
    assert await scene.phase(instance) is Phase.RESERVED
    await scene.tick(1)
    assert scene.exit(instance) == spec(1).id
    scene.sim.release()
    await scene.ticks(2)
    assert scene.row(instance) == spec(1).id


@pytest.mark.parametrize("route", ["proxy/find", "proxy/set", "instance/connectionState"])
@pytest.mark.parametrize("cut", ["before", "after"])
async def test_killed_during_a_release(scene: Scene, route: str, cut: str) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault(route, times=1, hang=True, cut=cut))  # type: ignore[arg-type]
    human = asyncio.create_task(scene.release("x"))
    await scene.held()
    await scene.kill()
    await asyncio.wait({human})
    scene.sim.release()
    await scene.start()
    await scene.ticks(4)
    assert (await scene.find_lease(instance), scene.row(instance), scene.exit(instance)) == (None, None, None)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_two_controllers_look_at_one_server(scene: Scene) -> None:
    await scene.add(20, first=4)
    first = scene.controller
    second = await scene.start()
    instances = [scene.instance(f"i{index}") for index in range(20)]
    for _ in range(4):
        scene.clock.move(1000)
        await asyncio.gather(first.servers["a"].tick(), second.servers["a"].tick())
        for controller in (first, second):
            await wait_until(lambda c=controller: len(c.servers["a"].acts) == 0)  # type: ignore[misc]
    assert len({scene.exit(one) for one in instances} - {None, "-"}) == 20
    for one in instances[:10]:
        scene.sim.logout(one.name)
    for one in instances[10:15]:
        scene.sim.delete(one.name)
    for _ in range(4):
        scene.clock.move(1000)
        await asyncio.gather(first.servers["a"].tick(), second.servers["a"].tick())
        for controller in (first, second):
            await wait_until(lambda c=controller: len(c.servers["a"].acts) == 0)  # type: ignore[misc]
    assert len(await scene.pool.leases_of("a")) == 5


async def test_a_frozen_process_wakes_up_and_does_no_harm(scene: Scene) -> None:
    """Its clear is sent after the instance came back and was given its proxy again by another process."""
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    frozen = scene.controller
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    await scene.tick(MINUTE, settle=False)
    await scene.held()
    await scene.start()
    scene.sim.open("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.ACTIVE
    scene.sim.release()
    await wait_until(lambda: len(frozen.servers["a"].acts) == 0)
    await scene.ticks(2)
    assert scene.row(instance) == scene.exit(instance) == spec(1).id
    assert (await scene.lease(instance)).applied is Applied.YES


async def test_the_pool_is_emptied_under_a_running_service(scene: Scene) -> None:
    scene.instance("external", row=spec(50))
    instance = await scene.served()
    await scene.pool.redis.flushall()
    await scene.pool.renew_epoch("another life")
    await scene.controller.polls["a"]._work()
    await scene.settle()
    await scene.pool.import_proxies([spec(1), spec(50)], stamp="s", actor="cli:test")
    other = scene.instance("other")
    await scene.ticks(2)
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    assert await scene.find_lease(other) is None


# Redis loses its last writes


class LosingRedis:
    """A redis-server of its own whose state can be kept and brought back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self._server = ExitStack()

    def start(self) -> None:
        self.url = self._server.enter_context(redis_server.running(self.folder))

    def stop(self) -> None:
        self._server.close()

    async def keep(self) -> None:
        """Everything until now is safe; what comes after it will be lost."""
        async with Redis.from_url(self.url) as client:
            await client.save()
        shutil.copy(self.folder / "dump.rdb", self.folder / "kept.rdb")

    def lose(self) -> None:
        """Killed, and started again with what was kept."""
        self.stop()
        shutil.copy(self.folder / "kept.rdb", self.folder / "dump.rdb")
        self.start()


@pytest.fixture
def losing(tmp_path: Path) -> Iterator[LosingRedis]:
    redis = LosingRedis(tmp_path)
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()


@pytest.fixture
async def shaky(losing: LosingRedis) -> AsyncIterator[Scene]:
    """A scene on a Redis that loses writes, with three proxies and a server that was read."""
    clock = MovedClock()
    async with open_pool(losing.url, "test") as opened:
        pool = Pool(opened.redis, "test", clock=clock)
        async with Scene.open(pool, clock) as scene:
            await scene.add(3)
            await scene.tick()
            yield scene


async def test_the_reservation_is_lost_and_its_set_lands(shaky: Scene, losing: LosingRedis) -> None:
    scene = shaky
    await losing.keep()
    scene.sim.warts.faults.append(Fault("proxy/set", name="x", times=1, delay=0.2))
    instance = scene.instance("x")
    await scene.tick(settle=False)
    await scene.sim.until(lambda: scene.calls("proxy/set") == 1)
    losing.lose()
    assert await scene.status(spec(1).id) is Status.FREE
    other = scene.instance("y")
    await scene.tick()
    await scene.tick()
    assert scene.row(instance) == spec(1).id
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    assert scene.exit(other) == spec(2).id
    assert len(await scene.events("pool.rewound")) == 1


async def test_nothing_is_handed_out_before_the_server_was_compared(shaky: Scene, losing: LosingRedis) -> None:
    scene = shaky
    await losing.keep()
    await scene.served("x")
    losing.lose()
    scene.instance("y", state="close")
    assert await scene.assign_refused("y") == "not_reconciled"
    await scene.tick()
    assert (await scene.assign("y")).lease.proxy_id == spec(2).id


async def test_a_row_seen_in_the_lost_second_is_seen_again(shaky: Scene, losing: LosingRedis) -> None:
    """The service believes that it has told the pool; the pool has forgotten."""
    scene = shaky
    await losing.keep()
    scene.instance("bot", integration="EVOLUTION", row=spec(1))
    await scene.tick()
    assert await scene.status(spec(1).id) is Status.QUARANTINED
    losing.lose()
    assert await scene.status(spec(1).id) is Status.FREE
    instance = scene.instance("x")
    await scene.ticks(2)
    assert scene.exit(instance) == spec(2).id


@pytest.mark.parametrize("waits", [Waits.ROW, Waits.SOCKET])
async def test_a_release_is_lost(shaky: Scene, losing: LosingRedis, waits: Waits) -> None:
    """The instance keeps its proxy: nobody else gets it, and its row is written again."""
    scene = shaky
    await scene.hurry()
    instance = await scene.served("x")
    await losing.keep()
    scene.sim.warts.restart_refused = True
    if waits is Waits.ROW:
        scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
    await scene.release("x")
    await scene.settle()
    assert (await scene.lease(instance)).waits is waits
    losing.lose()
    scene.sim.warts.restart_refused = False
    other = scene.instance("y")
    await scene.ticks(3)
    assert scene.row(instance) == scene.exit(instance) == spec(1).id
    assert scene.exit(other) == spec(2).id


async def test_a_finished_release_is_lost_and_the_proxy_was_given_on(shaky: Scene, losing: LosingRedis) -> None:
    scene = shaky
    first = await scene.served("first")
    await losing.keep()
    for number in (2, 3):
        await scene.pool.disable(spec(number).id, reason="test", actor="cli:test")
    await scene.release("first")
    await scene.settle()
    await scene.tick()
    second = scene.instance("second")
    await scene.tick()
    assert (scene.exit(first), scene.exit(second)) == (None, spec(1).id)
    losing.lose()
    scene.sim.warts.restart_refused = {"second"}
    await scene.hurry()
    await scene.ticks(5)
    assert scene.exit(second) == (await scene.lease(second)).proxy_id == spec(1).id
    assert scene.exit(first) == (await scene.lease(first)).proxy_id == spec(2).id


async def test_a_reservation_comes_back_whose_proxy_is_used_by_another(shaky: Scene, losing: LosingRedis) -> None:
    scene = shaky
    scene.sim.warts.faults.append(Fault("proxy/set", name="x", times=1, cut="before"))
    instance = scene.instance("x")
    await scene.tick()
    assert await scene.phase(instance) is Phase.RESERVED
    await losing.keep()
    await scene.pool.abandon(await scene.lease(instance), "refused")
    await scene.pool.unmanage("a", instance.id, unmanaged=True, actor="cli:test")
    scene.clock.move(15 * MINUTE)
    await scene.pool.sweep(limit=10)
    other = scene.instance("y")
    assert (await scene.assign("y", pin=spec(1).id)).new
    await scene.settle()
    assert scene.exit(other) == spec(1).id
    losing.lose()
    scene.sim.warts.restart_refused = {"y"}
    await scene.hurry()
    await scene.ticks(3, MINUTE)
    assert scene.exit(other) == (await scene.lease(other)).proxy_id == spec(1).id
    assert scene.exit(instance) == (await scene.lease(instance)).proxy_id == spec(2).id

"""Two who act on one instance at once: a human and a tick, a human and a probe, two processes."""

from __future__ import annotations

import asyncio

import pytest

from service.evolution.models import Observation
from service.evolution.simulator import Fault
from service.pool.models import Phase, Waits
from tests.control.scene import SECOND, Scene, spec
from tests.lua.stage import refused


async def test_a_human_who_looked_before_a_release_ended_is_not_given_the_row_of_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = await scene.served()
    scene.sim.logout("x", 401)
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    await scene.tick(settle=False)
    await scene.held()
    client, looked = scene.clients["a"], asyncio.Event()
    look = client.fetch_instance

    async def look_and_tell(name: str) -> Observation | None:
        observation = await look(name)
        scene.clock.move(SECOND)
        looked.set()
        return observation

    monkeypatch.setattr(client, "fetch_instance", look_and_tell)
    human = asyncio.create_task(scene.assign("x"))
    await looked.wait()
    scene.sim.release()
    given = await human
    assert (given.lease.phase, scene.row(instance)) == (Phase.ACTIVE, given.lease.proxy_id)


async def test_a_release_during_a_humans_look_does_not_give_him_the_row_of_before(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = await scene.served()
    client = scene.clients["a"]
    look = client.fetch_instance

    async def look_slowly(name: str) -> Observation | None:
        observation = await look(name)
        scene.sim.logout("x", 402)
        await scene.tick()
        return observation

    monkeypatch.setattr(client, "fetch_instance", look_slowly)
    given = await scene.assign("x")
    assert (given.lease.phase, scene.row(instance)) == (Phase.ACTIVE, given.lease.proxy_id)
    assert given.lease.proxy_id != spec(1).id


async def test_a_tick_does_not_undo_the_release_that_a_human_has_asked_for_meanwhile(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.disconnect("x")
    await scene.tick()
    read = await scene.lease(instance)
    assert read.waits is Waits.GRACE
    await scene.pool.begin_release(read, Waits.ROW, reason="by_hand", actor="cli:test", unmanage=True)
    with refused("wrong_phase", "unmanaged"):
        await scene.pool.cancel_release(read)
    scene.sim.open("x")
    await scene.ticks(3)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)


async def test_a_probe_that_assigns_is_the_act_of_the_instance_it_serves(scene: Scene) -> None:
    """The proxy that last succeeded is being released, so the probe serves one that waits: a human's release of that
    one comes after the set, never beside it."""
    await scene.hurry()
    await scene.served("x")
    await scene.pool.brake("a", "set", engaged=True, reason="test")
    waiting = scene.instance("y")
    await scene.tick()
    scene.sim.warts.restart_refused = True
    await scene.release("x")
    await scene.settle()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))
    probe = asyncio.create_task(scene.control.probe())
    await scene.held()
    sets = scene.calls("proxy/set")
    human = asyncio.create_task(scene.release("y"))
    await asyncio.sleep(0.02)
    assert (await scene.phase(waiting), scene.calls("proxy/set")) == (Phase.RELEASING, sets)
    scene.sim.release()
    await asyncio.gather(probe, human)
    await scene.ticks(2)
    assert scene.row(waiting) is None

"""A set that lands after its process died or its lease ended: until then nobody else gets the proxy."""

from __future__ import annotations

import asyncio

import pytest

from service.control.releasing import let_go
from service.errors import EvolutionRejectedError
from service.evolution.models import Observation
from service.evolution.simulator import OFF, Fault, Instance
from service.pool.models import Applied, Phase, Status, Waits
from tests.control.scene import HOUR, SECOND, Scene, spec


def hold_the_next_set(scene: Scene) -> None:
    """It is answered, and its row saved, when the simulator lets go: maybe long after the caller gave up."""
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, hang=True))


async def begin(scene: Scene) -> None:
    """The set that is held is on its way."""
    await scene.tick(settle=False)
    await scene.held()


async def release(scene: Scene) -> None:
    """All that can follow from it has."""
    await scene.release("x")
    await scene.settle()
    await scene.ticks(3)


async def land(scene: Scene, instance: Instance, number: int = 1) -> None:
    """The set that was held is saved."""
    scene.sim.release()
    await scene.until(lambda: scene.row(instance) == spec(number).id, "the set lands")


async def assert_waits_for_the_set(scene: Scene, number: int = 1) -> None:
    proxy = await scene.proxy(spec(number).id)
    assert (proxy.status, proxy.quarantine_reason, proxy.lease) == (Status.QUARANTINED, "set_unknown", None)


# a crash while a set is on its way


async def test_released_after_a_crash_in_an_assert_the_proxy_waits_for_the_set(scene: Scene) -> None:
    instance = await scene.served()
    hold_the_next_set(scene)
    scene.sim.set_row_by_hand("x", OFF)
    await begin(scene)
    await scene.restarted()
    await release(scene)
    await assert_waits_for_the_set(scene)
    await land(scene, instance)
    await scene.tick(HOUR)
    assert await scene.status(spec(1).id) is Status.QUARANTINED


async def test_refused_to_a_human_after_a_crash_in_an_assignment_the_proxy_waits_for_the_set(scene: Scene) -> None:
    hold_the_next_set(scene)
    instance = scene.instance("x")
    await begin(scene)
    await scene.restarted()
    assert await scene.phase(instance) is Phase.RESERVED
    scene.sim.warts.invalid_next = 1
    with pytest.raises(EvolutionRejectedError):
        await scene.assign("x")
    await assert_waits_for_the_set(scene)
    await land(scene, instance)


async def test_refused_to_a_human_after_a_crash_in_a_rotation_the_proxy_waits_for_the_set(scene: Scene) -> None:
    instance = await scene.served()
    hold_the_next_set(scene)
    human = asyncio.create_task(scene.rotate("x"))
    await scene.held()
    await scene.restarted()
    with pytest.raises(asyncio.CancelledError):
        await human
    scene.sim.warts.invalid_next = 1
    with pytest.raises(EvolutionRejectedError):
        await scene.assign("x")
    await assert_waits_for_the_set(scene, 2)
    await land(scene, instance, 2)


async def test_released_after_a_crash_in_a_probe_the_proxy_waits_for_the_set(scene: Scene) -> None:
    instance = await scene.served()
    await scene.pool.brake("a", "set", engaged=True, reason="test")
    hold_the_next_set(scene)
    probe = asyncio.create_task(scene.control.probe())
    await scene.held()
    await scene.restarted()
    with pytest.raises(asyncio.CancelledError):
        await probe
    await release(scene)
    await assert_waits_for_the_set(scene)
    await land(scene, instance)


async def test_given_up_for_the_row_of_another_the_proxy_still_waits_for_the_set(scene: Scene) -> None:
    """A crash in an assignment; meanwhile somebody writes the proxy into another row, and takes it out again."""
    hold_the_next_set(scene)
    instance = scene.instance("x")
    await begin(scene)
    await scene.kill()
    scene.instance("y", integration="EVOLUTION", row=spec(1))
    await scene.start()
    await scene.tick(41 * SECOND)
    await assert_waits_for_the_set(scene)
    scene.sim.set_row_by_hand("y", OFF)
    await scene.tick()
    await assert_waits_for_the_set(scene)
    await land(scene, instance)


# a set that lands beside a reading or a release


async def test_ended_by_another_process_while_an_assert_is_on_its_way_the_proxy_waits_for_it(scene: Scene) -> None:
    instance = await scene.served()
    hold_the_next_set(scene)
    scene.sim.set_row_by_hand("x", OFF)
    await begin(scene)
    await scene.start()
    await release(scene)
    await assert_waits_for_the_set(scene)
    await land(scene, instance)


async def test_a_lease_is_not_ended_while_the_row_names_its_proxy_again(scene: Scene) -> None:
    """The socket is seen down after the clear; then a late set lands, and the socket that comes back uses it."""
    await scene.hurry()
    hold_the_next_set(scene)
    instance = scene.instance("x")
    await scene.tick()
    scene.sim.warts.restart_refused = True
    await scene.release("x")
    await scene.settle()
    lease = await scene.lease(instance)
    assert lease.waits is Waits.SOCKET
    await scene.pool.mark(lease, "down")
    await land(scene, instance)
    assert not await let_go(scene.control.context, await scene.lease(instance))
    scene.sim.drop("x")
    await scene.until(lambda: instance.state == "open")
    assert scene.exit(instance) == spec(1).id
    await scene.tick()
    assert (scene.exit(instance), await scene.status(spec(1).id)) == (spec(1).id, Status.USED)
    scene.sim.warts.restart_refused = False
    await scene.ticks(3)
    assert (await scene.find_lease(instance), scene.row(instance), scene.exit(instance)) == (None, None, None)
    await assert_waits_for_the_set(scene)


async def test_a_reading_from_before_an_assert_is_not_held_against_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = await scene.served()
    hold_the_next_set(scene)
    scene.sim.warts.restart_refused = True
    scene.sim.set_row_by_hand("x", OFF)
    await begin(scene)
    client = scene.clients["a"]
    read, sets = client.fetch_instances, scene.calls("proxy/set")

    async def read_slowly() -> list[Observation]:
        observations = await read()
        scene.sim.release()
        scene.clock.move(SECOND)
        await scene.settle()
        return observations

    monkeypatch.setattr(client, "fetch_instances", read_slowly)
    scene.sim.warts.shown_status["x"] = "connecting"
    await scene.tick()
    lease = await scene.lease(instance)
    assert (scene.row(instance), lease.applied, lease.down) == (spec(1).id, Applied.NO, False)
    assert scene.calls("proxy/set") == sets

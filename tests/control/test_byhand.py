"""What humans do: to instances, and to proxies in each phase of a lease."""

from __future__ import annotations

import asyncio

import pytest

from service.control import byhand
from service.control.server import ServerControl
from service.errors import (
    EvolutionRejectedError,
    EvolutionUnavailableError,
    EvolutionUnknownError,
    RefusedError,
)
from service.evolution.simulator import OFF, Condition, Fault, Instance
from service.pool.models import Lease, Phase, Status, Waits
from tests.control.scene import MINUTE, Scene, spec

TEN_MINUTES = 10 * MINUTE


# assigning


async def test_a_refusal_is_told_and_the_proxy_given_back(scene: Scene) -> None:
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    instance = scene.instance("x", state="close")
    with pytest.raises(EvolutionRejectedError):
        await scene.assign("x")
    assert (await scene.find_lease(instance), await scene.status(spec(1).id)) == (None, Status.FREE)


async def test_an_unknown_outcome_is_told_and_the_lease_stays_reserved(scene: Scene) -> None:
    scene.sim.conditions[scene.endpoint(1)] = Condition.SILENT
    instance = scene.instance("x", state="close")
    with pytest.raises(EvolutionUnknownError):
        await scene.assign("x")
    assert await scene.phase(instance) is Phase.RESERVED


@pytest.mark.parametrize("name", ["nobody", "x"])
async def test_who_is_unknown_or_has_no_lease(scene: Scene, name: str) -> None:
    scene.instance("x", state="close")
    with pytest.raises(RefusedError, match="unknown_instance" if name == "nobody" else "no_lease"):
        await scene.release(name)
    with pytest.raises(RefusedError, match="unknown_instance" if name == "nobody" else "no_lease"):
        await scene.rotate(name)


async def test_a_pin_wins_over_policy_and_never_over_exclusivity(scene: Scene) -> None:
    await scene.served("holder")
    instance = scene.instance("x", state="close")
    assert await scene.assign_refused("x", pin=spec(1).id) == "held_elsewhere"
    assert (await scene.assign("x", pin=spec(3).id)).lease.proxy_id == spec(3).id
    assert scene.row(instance) == spec(3).id
    assert (await scene.assign("x", pin=spec(2).id)).lease.proxy_id == spec(2).id
    await scene.ticks(2)
    assert (scene.row(instance), await scene.status(spec(3).id)) == (spec(2).id, Status.COOLING)


async def test_an_integration_whose_restart_does_nothing_is_refused(scene: Scene) -> None:
    scene.sim.create("x", integration="EVOLUTION")
    assert await scene.assign_refused("x") == "other_integration"
    assert await scene.status(spec(1).id) is Status.FREE


async def test_the_proxy_that_the_row_names_is_adopted_when_a_human_assigns(scene: Scene) -> None:
    instance = scene.instance("x", row=spec(2))
    given = await scene.assign("x")
    assert (given.lease.proxy_id, given.lease.phase, scene.calls("proxy/set")) == (spec(2).id, Phase.ACTIVE, 0)
    assert scene.exit(instance) == spec(2).id


@pytest.mark.parametrize("when", ["row", "socket"])
async def test_assigned_again_during_its_release(scene: Scene, when: str) -> None:
    await scene.hurry()
    instance = await scene.served()
    scene.sim.warts.restart_refused = True
    if when == "row":
        scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
    await scene.release("x")
    await scene.settle()
    assert (await scene.lease(instance)).waits is Waits(when)
    scene.sim.warts.restart_refused = False
    given = await scene.assign("x")
    await scene.settle()
    assert (given.lease.proxy_id, given.lease.phase) == (spec(1).id, Phase.ACTIVE)
    await scene.tick()
    assert scene.row(instance) == scene.exit(instance) == spec(1).id


async def test_a_hundred_humans_assign_one_instance(scene: Scene) -> None:
    instance = scene.instance("x")
    given = await asyncio.gather(*(scene.assign("x") for _ in range(20)))
    assert ({one.lease.proxy_id for one in given}, sum(one.new for one in given)) == ({spec(1).id}, 1)
    await scene.settle()
    assert scene.exit(instance) == spec(1).id


# rotating


async def test_rotation_frees_the_old_proxy_after_the_reconnect_and_cools_it_ten_minutes(scene: Scene) -> None:
    await scene.hurry()
    instance = await scene.served()
    scene.sim.warts.restart_refused = True
    lease = await scene.rotate("x")
    await scene.ticks(2)
    assert (lease.proxy_id, scene.row(instance), scene.exit(instance)) == (spec(2).id, spec(2).id, spec(1).id)
    assert await scene.status(spec(1).id) is Status.USED
    scene.sim.warts.restart_refused = False
    await scene.tick()
    assert scene.exit(instance) == spec(2).id
    proxy = await scene.proxy(spec(1).id)
    assert (proxy.status, proxy.available_at) == (Status.COOLING, scene.clock.at + TEN_MINUTES)


async def test_a_proxy_rotated_away_is_not_offered_to_the_same_instance_again(scene: Scene) -> None:
    instance = await scene.served()
    for expected in (2, 3):
        assert (await scene.rotate("x")).proxy_id == spec(expected).id
        await scene.settle()
        scene.clock.move(1)
    await scene.tick(TEN_MINUTES)
    with pytest.raises(RefusedError, match="no_proxy_available"):
        await scene.rotate("x")
    other = scene.instance("y")
    await scene.tick()
    assert (scene.exit(instance), scene.exit(other)) == (spec(3).id, spec(1).id)


async def test_a_refused_rotation_leaves_the_old_proxy(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(2)] = Condition.DEAD
    with pytest.raises(EvolutionRejectedError):
        await scene.rotate("x", pin=spec(2).id)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.phase, lease.tail) == (spec(1).id, Phase.ACTIVE, False)
    assert scene.row(instance) == scene.exit(instance) == spec(1).id
    await scene.ticks(2)
    assert await scene.status(spec(2).id) is Status.FREE


@pytest.mark.parametrize("lands", [False, True])
async def test_an_unknown_rotation_is_given_up_and_the_old_proxy_is_back(scene: Scene, lands: bool) -> None:
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(2)] = Condition.SILENT
    with pytest.raises(EvolutionUnknownError):
        await scene.rotate("x", pin=spec(2).id)
    await scene.tick(40_000)
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    if lands:
        scene.sim.conditions.clear()
        scene.sim.release()
        await scene.sim.until(lambda: scene.row(instance) == spec(2).id)
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.phase) == (spec(1).id, Phase.ACTIVE)
    assert scene.row(instance) == scene.exit(instance) == spec(1).id
    assert (await scene.proxy(spec(2).id)).quarantine_reason == "set_unknown"


async def test_released_during_a_rotation_whose_set_is_unknown(scene: Scene) -> None:
    """Two proxies of one instance: neither may be given on while its socket may use it."""
    await scene.hurry()
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(2)] = Condition.SILENT
    with pytest.raises(EvolutionUnknownError):
        await scene.rotate("x", pin=spec(2).id)
    scene.sim.warts.restart_refused = True
    await scene.release("x")
    await scene.settle()
    await scene.ticks(2)
    assert scene.exit(instance) == spec(1).id
    assert await scene.status(spec(1).id) is Status.USED
    scene.sim.warts.restart_refused = False
    await scene.ticks(3)
    assert (await scene.find_lease(instance), scene.exit(instance)) == (None, None)
    assert [await scene.status(spec(number).id) for number in (1, 2)] == [Status.COOLING, Status.QUARANTINED]


async def test_a_stuck_number_is_cured_by_rotation(scene: Scene) -> None:
    """EVOLUTION.md, B10: connecting for ever; a set alone does nothing."""
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.REFUSING
    scene.sim.drop("x")
    await scene.sim.until(lambda: instance.state == "connecting")
    await scene.rotate("x")
    await scene.settle()
    assert scene.exit(instance) == spec(2).id
    assert await scene.status(spec(1).id) is Status.COOLING
    assert scene.calls("instance/connect") == 0


async def test_a_reconnect_loop_is_cured_by_rotation(scene: Scene) -> None:
    """EVOLUTION.md, B9."""
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    scene.sim.drop("x")
    await scene.sim.until(lambda: instance.state == "connecting")
    await scene.rotate("x")
    await scene.ticks(2)
    assert scene.exit(instance) == spec(2).id
    assert await scene.status(spec(1).id) is Status.COOLING


# what happens to the proxy in each phase


async def in_phase(scene: Scene, phase: str) -> Instance:
    await scene.hurry()
    if phase == "reserved":
        scene.sim.warts.faults.append(Fault("proxy/set", times=1, cut="before"))
        instance = scene.instance("x")
        await scene.tick()
        return instance
    instance = await scene.served("x")
    scene.sim.warts.restart_refused = True
    if phase == "grace":
        scene.sim.disconnect("x")
        await scene.tick()
    if phase == "row":
        scene.sim.warts.faults.append(Fault("proxy/find", times=1, status=500))
    if phase in ("row", "socket"):
        await scene.release("x")
        await scene.settle()
    return instance


@pytest.mark.parametrize("act", ["update", "disable", "remove", "sync"])
@pytest.mark.parametrize("phase", ["reserved", "active", "grace", "row", "socket"])
async def test_a_held_proxy_is_changed(scene: Scene, phase: str, act: str) -> None:
    instance = await in_phase(scene, phase)
    before = await scene.lease(instance)
    assert before.waits == phase if before.waits else before.phase == phase
    if act == "update":
        await scene.pool.update(spec(1).id, actor="cli:test", group="vip", labels=["one"])
    elif act == "disable":
        assert await scene.pool.disable(spec(1).id, reason="by_hand", actor="cli:test") == "used"
    elif act == "sync":
        await scene.pool.import_proxies([spec(2), spec(3)], stamp="s2", actor="cli:test")
        await scene.pool.sync(stamp="s2", cursor="", limit=100, actor="cli:test")
    else:
        with pytest.raises(RefusedError, match="held"):
            await scene.pool.remove(spec(1).id, actor="cli:test")
    assert await scene.find_lease(instance) == before
    scene.sim.warts.restart_refused = False
    await scene.tick(40_000)
    await scene.ticks(3, 60_000)
    if phase in ("reserved", "active"):
        assert scene.exit(instance) == spec(1).id
        await scene.release("x")
        await scene.settle()
    assert await scene.find_lease(instance) is None
    drained = act in ("disable", "sync")
    status = await scene.status(spec(1).id)
    if phase == "reserved":  # a set that was cut off may land
        assert status is Status.QUARANTINED
        scene.clock.move(15 * MINUTE)
        await scene.pool.sweep(limit=10)
        status = await scene.status(spec(1).id)
    assert status is (Status.DISABLED if drained else Status.FREE)


async def test_a_disabled_proxy_that_a_row_names_is_adopted_and_drains(scene: Scene) -> None:
    await scene.pool.disable(spec(1).id, reason="by_hand", actor="cli:test")
    instance = scene.instance("x", row=spec(1))
    await scene.tick()
    assert (await scene.lease(instance)).proxy_id == spec(1).id
    scene.sim.logout("x")
    await scene.tick()
    assert await scene.status(spec(1).id) is Status.DISABLED


@pytest.mark.parametrize("sync", [False, True])
async def test_an_import_while_everything_is_being_assigned(scene: Scene, sync: bool) -> None:
    number = 20
    await scene.add(number, first=4)
    instances = [scene.instance(f"i{index}") for index in range(number)]
    scene.sim.paces.service["proxy/set"] = (0.0, 0.02)
    await scene.tick(settle=False)
    kept = [spec(index, password="new") for index in range(10, 40)]
    for start in range(0, len(kept), 5):
        await scene.pool.import_proxies(kept[start : start + 5], stamp="s2", actor="cli:test")
        await asyncio.sleep(0.005)
        if sync and start == 15:
            await scene.pool.sync(stamp="s2", cursor="", limit=1000, actor="cli:test")
    await scene.settle()
    await scene.tick(40_000)  # resumes what a slow machine may have left unknown
    await scene.tick()
    exits = {scene.exit(instance) for instance in instances}
    assert len(exits - {None, "-"}) == number
    assert scene.sim.calls.peak["proxy/set"] <= 8


async def test_force_ends_the_lease_at_once_and_holds_the_proxy_back(scene: Scene) -> None:
    instance = await scene.served()
    assert await scene.release("x", force=True) is None
    await scene.ticks(2)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, spec(1).id)
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "forced"
    scene.sim.set_row_by_hand("x", OFF)
    scene.sim.drop("x")
    await scene.sim.until(lambda: instance.state == "open")
    await scene.tick(15 * MINUTE)
    scene.clock.move(15 * MINUTE)
    assert await scene.status(spec(1).id) is Status.FREE


@pytest.mark.parametrize("force", [False, True])
async def test_a_release_that_a_rotation_overtook_leaves_the_instance_alone(scene: Scene, force: bool) -> None:
    instance = await scene.served()
    seen = await scene.lease(instance)
    scene.sim.warts.restart_refused = True
    await scene.rotate("x")
    with pytest.raises(RefusedError, match="stale"):
        await scene.release("x", force=force, lease=seen)
    assert ((await scene.lease(instance)).proxy_id, await scene.pool.unmanaged("a")) == (spec(2).id, set())
    assert await scene.status(spec(1).id) is Status.USED


@pytest.mark.parametrize("force", [False, True])
async def test_a_release_by_name_takes_what_a_rotation_gave_meanwhile(
    scene: Scene, force: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, held_by, asked = await scene.served(), byhand.held_by, 0

    async def rotated_then(control: ServerControl, name: str) -> Lease:
        nonlocal asked
        asked += 1
        lease = await held_by(control, name)
        if asked == 1:
            await scene.rotate(name)
            await scene.settle()
        return lease

    monkeypatch.setattr(byhand, "held_by", rotated_then)
    await scene.release("x", force=force)
    await scene.settle()
    await scene.ticks(2)
    assert (await scene.find_lease(instance), asked) == (None, 2)
    assert await scene.pool.unmanaged("a") == {instance.id}


async def test_a_server_that_is_away_is_told(scene: Scene) -> None:
    scene.sim.warts.faults.append(Fault("instance/fetchInstances", status=503))
    with pytest.raises(EvolutionUnavailableError):
        await scene.assign("x")

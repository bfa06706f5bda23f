"""Drift in a living scene: it is told with its plan, repairs itself where that is safe, and else waits for a human."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.control.actions import Assert, Assign, BeginRelease, Reconnect, Verify
from service.control.drift import Drift, Kind, Remedy
from service.control.repairing import repair
from service.errors import RefusedError
from service.evolution.simulator import OFF, Fault
from service.pool.models import Applied, Phase, Status
from tests.control.scene import HOUR, MINUTE, Scene, spec


def told(scene: Scene) -> list[tuple[Kind, str, list[type]]]:
    drift = scene.control.drift.values()
    return sorted((one.kind, one.name, [type(action) for action in one.plan]) for one in drift)


def only(scene: Scene) -> Drift:
    [drift] = scene.control.drift.values()
    return drift


async def repaired(scene: Scene, drift: Drift) -> Drift | None:
    left = await repair(scene.controller, drift.id, actor="token:ana")
    await scene.settle()
    return left


async def refused(scene: Scene, drift_id: str) -> str:
    with pytest.raises(RefusedError) as caught:
        await repair(scene.controller, drift_id, actor="token:ana")
    return caught.value.code


async def test_a_healthy_scene_tells_nothing(scene: Scene) -> None:
    for name in ("x", "y"):
        await scene.served(name)
    await scene.tick()
    assert told(scene) == []


async def test_a_row_that_somebody_switched_off_is_set_again_and_applied(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    assert told(scene) == [(Kind.ROW_MISSING, "x", [Assert])]
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (told(scene), scene.row(instance), lease.applied) == ([], spec(1).id, Applied.YES)
    assert scene.exit(instance) == spec(1).id


async def test_what_was_applied_before_a_row_was_written_again_proves_nothing(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("instance/restart", status=500))
    scene.sim.set_row_by_hand("x", OFF)
    await scene.ticks(2)
    assert (await scene.lease(instance)).applied is Applied.NO
    assert told(scene) == [(Kind.NOT_APPLIED, "x", [Reconnect])]


async def test_a_proxy_of_the_pool_that_somebody_set_becomes_the_instances(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.set_row_by_hand("x", spec(2))
    await scene.tick()
    assert told(scene) == [(Kind.ROW_BY_HAND, "x", [BeginRelease])]
    await scene.ticks(3)
    lease = await scene.lease(instance)
    assert (lease.proxy_id, lease.phase, scene.row(instance)) == (spec(2).id, Phase.ACTIVE, spec(2).id)
    await scene.tick(HOUR)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_a_proxy_of_another_instance_that_somebody_set_does_not_stay(scene: Scene) -> None:
    first, second = await scene.served("x"), await scene.served("y")
    scene.sim.set_row_by_hand("x", spec(2))
    await scene.tick()
    assert told(scene) == [(Kind.ROW_OTHER, "x", [Assert]), (Kind.SHARED, "y", [])]
    assert {one.remedy for one in scene.control.drift.values()} == {None}
    await scene.ticks(2)
    assert (told(scene), scene.row(first), scene.row(second)) == ([], spec(1).id, spec(2).id)


async def test_two_rows_that_name_one_proxy_are_told_from_both_sides(scene: Scene) -> None:
    scene.instance("x", state="close", row=spec(1))
    await scene.tick()
    scene.instance("y", state="close", row=spec(1))
    await scene.tick()
    assert told(scene) == [(Kind.CONFLICT, "y", []), (Kind.SHARED, "x", [])]
    scene.sim.open("y")
    await scene.tick()
    assert told(scene) == [(Kind.CONFLICT, "y", [Assign]), (Kind.SHARED, "x", [])]
    await scene.tick()
    assert told(scene) == []


async def test_a_changed_password_is_set_again(scene: Scene) -> None:
    await scene.served()
    await scene.add(1, password="new")
    await scene.tick()
    assert told(scene) == [(Kind.OUTDATED, "x", [Assert])]
    await scene.ticks(2)
    assert told(scene) == []


async def test_an_instance_that_is_not_listed_is_told_until_its_absence_is_proved(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.hidden = True
    await scene.ticks(2)
    assert told(scene) == [(Kind.LEASE_WITHOUT_INSTANCE, "x", [Verify])]
    assert (await scene.find_lease(instance)) is not None
    scene.sim.warts.hidden = False
    scene.sim.delete("x")
    await scene.ticks(2)
    assert told(scene) == []


async def test_drift_keeps_its_beginning_until_it_is_over(scene: Scene) -> None:
    await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", status=400))
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    first = only(scene)
    await scene.tick(MINUTE)
    assert (only(scene).id, only(scene).since) == (first.id, first.since)


async def test_observe_mode_tells_and_changes_nothing(scene: Scene) -> None:
    await scene.served()
    await scene.kill()
    await scene.start(mode="observe")
    scene.sim.set_row_by_hand("x", OFF)
    before = scene.calls("proxy/set")
    await scene.ticks(2)
    assert told(scene) == [(Kind.ROW_MISSING, "x", [Assert])]
    assert scene.calls("proxy/set") == before
    assert await refused(scene, only(scene).id) == "observe_mode"


# repairs by hand


async def test_an_external_instance_is_given_a_proxy_of_the_pool(scene: Scene) -> None:
    instance = scene.instance("x", row=spec(99))
    await scene.ticks(2)
    assert (only(scene).kind, only(scene).remedy, scene.exit(instance)) == (Kind.EXTERNAL, Remedy.ASSIGN, spec(99).id)
    assert await repaired(scene, only(scene)) is None
    await scene.tick()
    assert (told(scene), scene.exit(instance)) == ([], spec(1).id)
    [event] = await scene.events("lease.reserved")
    assert event["actor"] == "token:ana"


async def test_a_stuck_release_is_ended_by_force(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", status=400))
    await scene.release("x")
    await scene.ticks(8)
    assert (only(scene).kind, only(scene).remedy) == (Kind.STUCK, Remedy.FORCE)
    assert await repaired(scene, only(scene)) is None
    assert await scene.find_lease(instance) is None
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "forced"
    assert [event["actor"] for event in await scene.events("lease.released")] == ["token:ana"]


async def test_a_release_that_went_on_meanwhile_is_not_forced(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", status=400))
    await scene.release("x")
    await scene.ticks(8)
    drift = only(scene)
    look_at = scene.control.look_at

    async def then_another_replica_goes_on(names: Sequence[str]) -> object:
        looked = await look_at(names)
        await scene.pool.row_cleared(await scene.lease(instance), "off")
        return looked

    monkeypatch.setattr(scene.control, "look_at", then_another_replica_goes_on)
    assert await refused(scene, drift.id) == "nothing_to_repair"
    assert await scene.find_lease(instance) is not None


async def test_a_shared_proxy_is_left_to_the_one_that_is_not_managed(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.create("bot", state="close", integration="EVOLUTION")
    scene.sim.set_row_by_hand("bot", spec(1))
    await scene.ticks(2)
    assert (only(scene).kind, only(scene).remedy) == (Kind.SHARED, Remedy.ROTATE)
    assert await repaired(scene, only(scene)) is None
    await scene.ticks(2)
    assert (told(scene), scene.exit(instance)) == ([], spec(2).id)
    assert [event["actor"] for event in await scene.events("lease.rotated")] == ["token:ana"]


async def shared(scene: Scene) -> Drift:
    """``x`` holds a proxy that the row of an instance names which nobody manages."""
    await scene.served()
    scene.sim.create("bot", state="close", integration="EVOLUTION")
    scene.sim.set_row_by_hand("bot", spec(1))
    await scene.ticks(2)
    drift = only(scene)
    assert (drift.kind, drift.remedy, drift.name) == (Kind.SHARED, Remedy.ROTATE, "x")
    return drift


async def test_two_repairs_at_once_rotate_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    drift = await shared(scene)
    look_at, looks = scene.control.look_at, asyncio.Barrier(2)

    async def then_both_act(names: Sequence[str]) -> object:
        looked = await look_at(names)
        await looks.wait()
        return looked

    monkeypatch.setattr(scene.control, "look_at", then_both_act)
    both = [repair(scene.controller, drift.id, actor=f"token:{human}") for human in ("ana", "bia")]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert {getattr(answer, "code", answer) for answer in answers} == {None, "stale"}
    await scene.settle()
    assert len(await scene.events("lease.rotated")) == 1


async def test_a_repair_leaves_another_instance_of_the_name_alone(scene: Scene) -> None:
    """It was created after the list that told of the drift."""
    drift = await shared(scene)
    fresh = scene.sim.recreate("x", state="open")
    scene.sim.set_row_by_hand("x", spec(2))
    assert await refused(scene, drift.id) == "stale"
    await scene.settle()
    assert (await scene.lease(fresh)).proxy_id == spec(2).id


async def test_a_repair_gives_another_instance_of_the_name_nothing(scene: Scene) -> None:
    scene.instance("x", row=spec(99))
    await scene.ticks(2)
    drift = only(scene)
    fresh = scene.sim.recreate("x", state="open")
    scene.sim.set_row_by_hand("x", spec(98))
    assert await refused(scene, drift.id) == "nothing_to_repair"
    assert await scene.find_lease(fresh) is None


async def test_what_repairs_itself_is_only_looked_at_sooner(scene: Scene) -> None:
    instance = await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", times=1, status=400))
    scene.sim.set_row_by_hand("x", OFF)
    await scene.tick()
    drift = only(scene)
    scene.clock.move(MINUTE)
    left = await repaired(scene, drift)
    assert left is not None
    assert (left.id, left.remedy) == (drift.id, None)
    assert scene.row(instance) == spec(1).id  # by the look of the repair, before any tick
    scene.clock.move(1)
    assert await repaired(scene, drift) is None
    assert await refused(scene, drift.id) == "unknown_drift"

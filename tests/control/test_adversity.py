"""Three promises at their worst: a socket that lingers, a set that is never answered, a creation under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.evolution.simulator import OFF, Condition
from service.pool.models import Lease, Status
from tests.control.scene import HOUR, SECOND, Scene, spec

POLL = 30 * SECOND


async def test_a_close_that_a_frozen_process_tells_of_too_late_frees_no_proxy(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read before the row was cleared; since then the instance has reconnected, by the row of before."""
    thawed, frozen, mark = asyncio.Event(), asyncio.Event(), scene.pool.mark

    async def freeze(lease: Lease, what: str, **fields: Any) -> bool:
        if what == "down" and not frozen.is_set():
            frozen.set()
            await thawed.wait()
        return await mark(lease, what, **fields)

    monkeypatch.setattr(scene.pool, "mark", freeze)
    instance = scene.instance("x")
    await scene.tick(settle=False)
    await frozen.wait()
    await scene.until(lambda: scene.exit(instance) == spec(1).id)
    scene.clock.move(SECOND)
    await scene.release("x")
    assert (scene.row(instance), scene.exit(instance)) == (None, spec(1).id)
    thawed.set()
    await scene.settle()
    assert await scene.status(spec(1).id) is Status.USED or scene.exit(instance) is None
    await scene.ticks(2, POLL)
    assert (await scene.status(spec(1).id), scene.exit(instance)) == (Status.FREE, None)


@pytest.mark.parametrize("look", ["tick", "hint"])
async def test_one_that_is_being_created_with_its_reserved_proxy_is_given_no_other(scene: Scene, look: str) -> None:
    """It is listed, and its creation told, while Evolution still tests the proxy."""
    await scene.restarted(assign_in=frozenset({"open", "connecting", "close"}))
    await scene.pool.reserve("a", "x", reservation="r1", expires_at=scene.clock.at + HOUR, actor="token:panel")
    await scene.tick()
    instance = scene.instance("x", state="close")
    if look == "tick":
        await scene.tick()
    else:
        scene.clock.move(SECOND)
        await scene.control.look_at(["x"])
        await scene.settle()
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, None)
    scene.sim.set_row_by_hand("x", spec(1))
    await scene.tick()
    assert (await scene.lease(instance)).proxy_id == spec(1).id


async def test_one_that_connects_without_its_reserved_proxy_does_not_wait_for_it(scene: Scene) -> None:
    await scene.pool.reserve("a", "x", reservation="r1", expires_at=scene.clock.at + HOUR, actor="token:panel")
    await scene.tick()
    instance = scene.instance("x")
    await scene.tick()
    assert scene.exit(instance) == spec(2).id


async def test_a_lost_row_whose_proxy_does_not_answer_gets_another(scene: Scene) -> None:
    """Its test hangs (EVOLUTION.md, B3), so no set of it is ever answered, and the connection goes out directly."""
    await scene.hurry()
    instance = await scene.served()
    scene.sim.conditions[scene.endpoint(1)] = Condition.SILENT
    scene.sim.set_row_by_hand("x", OFF)
    await scene.ticks(12, POLL)
    lease = await scene.lease(instance)
    assert lease.proxy_id == spec(2).id
    assert scene.row(instance) == spec(2).id


async def test_many_such_at_once_speak_against_the_server_and_stop_its_sets(scene: Scene) -> None:
    """EVOLUTION.md, B22: it is the test that hangs, and not their proxies."""
    await scene.hurry()
    await scene.add(20, first=10)
    instances = [scene.instance(f"i{number}") for number in range(8)]
    await scene.ticks(2)
    held = [(await scene.lease(instance)).proxy_id for instance in instances]
    for number in (1, 2, 3, *range(10, 30)):
        scene.sim.conditions[scene.endpoint(number)] = Condition.SILENT
    for instance in instances:
        scene.sim.set_row_by_hand(instance.name, OFF)
    await scene.ticks(8, POLL)
    assert (await scene.pool.server("a"))["set_brake"] == "1"
    kept = [await scene.find_lease(instance) for instance in instances]
    assert [lease.proxy_id for lease in kept[4:] if lease] == held[4:]

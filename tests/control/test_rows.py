"""Rows that somebody else changed: what the pool makes of them, and what it shows."""

from __future__ import annotations

from service.evolution.simulator import OFF, Condition, Fault, ProxyRow
from service.pool.models import Phase, Status
from tests.control.scene import HOUR, MINUTE, Scene, spec


async def test_forced_after_the_row_was_seen_off_the_next_reading_of_the_same_row_frees_the_proxy(
    scene: Scene,
) -> None:
    await scene.served()
    scene.sim.warts.faults.append(Fault("proxy/set", status=500))
    scene.sim.set_row_by_hand("x", OFF)
    await scene.ticks(2)
    await scene.release("x", force=True)
    assert (await scene.proxy(spec(1).id)).quarantine_reason == "forced"
    await scene.ticks(3, MINUTE)
    assert (await scene.proxy(spec(1).id)).quarantine_reason != "forced"
    await scene.tick(HOUR)
    assert await scene.status(spec(1).id) is Status.FREE


async def test_an_applied_lease_whose_row_was_switched_off_protects_nothing(scene: Scene) -> None:
    instance = await scene.served()
    assert (await scene.pool.stats()).unprotected == 0
    scene.sim.set_row_by_hand("x", OFF)
    scene.sim.warts.faults.append(Fault("proxy/set", status=400))
    await scene.ticks(2)
    assert await scene.phase(instance) is Phase.ACTIVE
    assert (await scene.pool.stats()).unprotected == 1


async def test_a_row_that_is_set_back_to_the_proxy_before_a_rotation_is_left_to_the_new_one(scene: Scene) -> None:
    instance = await scene.served()
    await scene.rotate("x")
    await scene.settle()
    await scene.ticks(2)
    scene.clock.move(HOUR)
    scene.sim.set_row_by_hand("x", spec(1))
    await scene.ticks(2)
    assert (scene.row(instance), (await scene.lease(instance)).proxy_id) == (spec(2).id, spec(2).id)


async def test_a_row_that_is_set_to_a_proxy_of_someone_else_ends_the_lease_and_is_shown_as_external(
    scene: Scene,
) -> None:
    instance = await scene.served()
    scene.sim.set_row_by_hand("x", spec(50))
    await scene.ticks(4)
    assert (await scene.find_lease(instance), scene.row(instance)) == (None, spec(50).id)
    stats = await scene.pool.stats()
    assert (stats.external, stats.unprotected) == (1, 0)


async def test_credentials_that_somebody_wrote_into_a_rows_host_are_not_kept(scene: Scene) -> None:
    instance = scene.instance("x")
    scene.sim.set_row_by_hand("x", ProxyRow(True, "user:hunter2@192.0.2.9", "8080", "http"))
    await scene.tick()
    known = await scene.pool.instance("a", instance.id)
    assert known is not None
    assert known.address == "192.0.2.9:8080"
    assert "hunter2" not in str(known)


async def test_a_proxy_that_can_not_be_written_again_is_replaced(scene: Scene) -> None:
    """The row was switched off and the proxy has died since: no live state tells of that, because the instance goes out
    directly."""
    instance = await scene.served("x")
    dead = await scene.lease(instance)
    scene.sim.conditions[scene.endpoint(1)] = Condition.DEAD
    scene.sim.set_row_by_hand("x", OFF)
    scene.sim.drop("x")
    await scene.until(lambda: scene.exit(instance) is None, what="it goes out directly")
    await scene.ticks(2)
    assert (await scene.lease(instance)).token == dead.token, "twice may be the server's own proxy test"
    await scene.ticks(3)
    lease = await scene.lease(instance)
    assert (lease.applied, scene.exit(instance)) == ("yes", lease.proxy_id)
    assert lease.proxy_id != dead.proxy_id
    assert await scene.status(dead.proxy_id) is Status.QUARANTINED

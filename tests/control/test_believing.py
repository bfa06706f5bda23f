"""Applied is believed of the live state alone, and only of the row that the lease wrote (DESIGN.md, 1 and P5)."""

from __future__ import annotations

import pytest

from service.errors import EvoproxyError
from service.evolution.simulator import OFF, Instance
from service.pool.models import Applied, Status
from tests.control.scene import Scene, spec


async def unmoved(scene: Scene) -> Instance:
    """An open instance whose row was written, and which no restart moves."""
    await scene.hurry()
    scene.sim.warts.restart_refused = True
    instance = scene.instance("x")
    await scene.ticks(2)
    assert (scene.row(instance), scene.exit(instance)) == (spec(1).id, None)
    return instance


@pytest.mark.parametrize("shown", ["close", "connecting"])
async def test_a_list_that_is_late_does_not_prove_a_reconnect(scene: Scene, shown: str) -> None:
    """EVOLUTION.md, B8: its state is a column of the DB. The instance was never down."""
    instance = await unmoved(scene)
    scene.sim.warts.shown_status["x"] = shown
    await scene.ticks(2)
    del scene.sim.warts.shown_status["x"]
    await scene.ticks(2)
    lease = await scene.lease(instance)
    assert (scene.exit(instance), lease.applied, lease.down) == (None, Applied.NO, False)


@pytest.mark.parametrize("shown", ["close", "connecting"])
async def test_a_list_that_is_late_frees_no_proxy_that_is_in_use(scene: Scene, shown: str) -> None:
    await scene.hurry()
    instance = await scene.served()
    scene.sim.warts.restart_refused = True
    await scene.release("x")
    await scene.tick()
    scene.sim.warts.shown_status["x"] = shown
    await scene.ticks(2)
    del scene.sim.warts.shown_status["x"]
    await scene.ticks(2)
    assert (scene.row(instance), scene.exit(instance)) == (None, spec(1).id)
    assert await scene.status(spec(1).id) is Status.USED


async def switched_off(scene: Scene) -> Instance:
    """An instance that was served, whose row somebody switched off, and which went out directly then."""
    instance = await scene.served()
    scene.sim.set_row_by_hand("x", OFF)
    scene.sim.drop("x")
    await scene.until(lambda: instance.state == "open")
    assert scene.exit(instance) is None
    return instance


async def test_a_row_that_is_back_by_a_late_set_is_no_proof(scene: Scene) -> None:
    instance = await switched_off(scene)
    scene.sim.warts.save_delay = None
    await scene.tick()
    assert scene.row(instance) is None
    scene.sim.release()
    await scene.until(lambda: scene.row(instance) == spec(1).id)
    await scene.ticks(2)
    assert (scene.exit(instance), (await scene.lease(instance)).applied) == (spec(1).id, Applied.YES)


async def test_a_row_that_is_back_after_a_crash_is_no_proof(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    instance, mark = await switched_off(scene), scene.pool.mark

    async def dies(lease: object, what: str, **more: object) -> bool:
        if what == "asserted":
            raise EvoproxyError("died")
        return await mark(lease, what, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(scene.pool, "mark", dies)
        await scene.tick()
        await scene.kill()
    await scene.start()
    assert (scene.row(instance), scene.exit(instance)) == (spec(1).id, None)
    await scene.ticks(2)
    assert (scene.exit(instance), (await scene.lease(instance)).applied) == (spec(1).id, Applied.YES)


async def test_a_row_that_is_back_by_hand_while_all_is_paused_is_no_proof(scene: Scene) -> None:
    instance = await switched_off(scene)
    await scene.pool.pause(paused=True, actor="cli:ana")
    await scene.tick()
    scene.sim.set_row_by_hand("x", spec(1))
    await scene.tick()
    assert (await scene.lease(instance)).applied is Applied.NO
    await scene.pool.pause(paused=False, actor="cli:ana")
    await scene.ticks(2)
    assert (scene.exit(instance), (await scene.lease(instance)).applied) == (spec(1).id, Applied.YES)

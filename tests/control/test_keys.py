"""Another encryption key changes no proxy in the eyes of the controller."""

from __future__ import annotations

from service.evolution.simulator import Fault
from service.pool.vault import Vault
from tests.control.scene import Scene, spec

SETS = "proxy/set"


async def test_nothing_is_set_again_when_the_key_changes(scene: Scene) -> None:
    instance = await scene.served()
    pool, sets = scene.pool, scene.calls(SETS)
    for keys in (["old"], ["new", "old"], ["new"]):
        pool.vault = Vault(keys)
        await pool.use_key()
        await scene.restarted()
        for _ in range(2):  # before and after the passwords came under the first key
            await pool.import_proxies([spec(number) for number in range(1, 4)], stamp="s", actor="cli:test")
            await scene.ticks(3)
            async for _ in pool.rotate_key(actor="cli:test"):
                await scene.tick()
        assert scene.calls(SETS) == sets
    await pool.import_proxies([spec(1, password="new")], stamp="s", actor="cli:test")
    await scene.ticks(2)
    assert scene.calls(SETS) == sets + 1
    assert instance.row is not None
    assert instance.row.password == "new"
    assert not (await scene.lease(instance)).outdated


async def test_a_row_that_is_written_while_the_key_changes_is_not_written_again(scene: Scene) -> None:
    instance = await scene.served()
    pool = scene.pool
    await pool.import_proxies([spec(1, password="changed")], stamp="s", actor="cli:test")
    pool.vault = Vault(["new"])
    await pool.use_key()
    sets = scene.calls(SETS)
    scene.sim.warts.faults.append(Fault(SETS, times=1, hang=True))
    await scene.tick(settle=False)
    await scene.held()
    async for _ in pool.rotate_key(actor="cli:test"):
        pass
    scene.sim.gate.release()
    await scene.ticks(3)
    assert scene.calls(SETS) == sets + 1
    assert not (await scene.lease(instance)).outdated

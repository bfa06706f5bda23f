"""finish_restore: the gate opens server by server, each after a comparison with the whole."""

from __future__ import annotations

from tests.lua.stage import Stage, refused
from tests.lua.test_begin_restore import begin


async def test_each_server_has_to_be_read_after_the_end(stage: Stage) -> None:
    await stage.add()
    await begin(stage, merge=True)
    await stage.pool.mark_read("a", epoch=await stage.pool.epoch(), listed=0)
    meanwhile = await stage.pool.epoch()
    await stage.pool.finish_restore("r1", source="sql", proxies=3, leases=2, left=1, actor="cli:ana")
    assert not await stage.pool.restoring()
    with refused("not_reconciled", "a"):
        await stage.try_acquire()
    with refused("stale"):
        await stage.pool.mark_read("a", epoch=meanwhile, listed=0)
    await stage.pool.mark_read("a", epoch=await stage.pool.epoch(), listed=0)
    assert (await stage.try_acquire()).word == "LEASED"
    [event] = await stage.events("pool.restored")
    told = {name: event[name] for name in ("level", "actor", "source", "proxies", "leases", "left")}
    assert told == {
        "level": "warning",
        "actor": "cli:ana",
        "source": "sql",
        "proxies": "3",
        "leases": "2",
        "left": "1",
    }


async def test_only_the_restore_that_goes_on_can_end(stage: Stage) -> None:
    with refused("stale"):
        await stage.pool.finish_restore("r1", source="file", proxies=0, actor="cli:ana")
    await begin(stage)
    with refused("stale"):
        await stage.pool.finish_restore("r2", source="file", proxies=0, actor="cli:ana")

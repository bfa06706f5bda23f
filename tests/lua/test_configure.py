"""configure: the servers that the gate asks for."""

from __future__ import annotations

from tests.lua.stage import Stage, refused


async def test_exactly_the_named_servers_count(stage: Stage) -> None:
    await stage.pool.configure(["b", "c"], events_max=7)
    stats = await stage.pool.stats()
    assert (set(stats.servers), stats.events_max) == ({"b", "c"}, 7)
    await stage.pool.configure(["c"], events_max=8)
    assert set((await stage.pool.stats()).servers) == {"c"}


async def test_a_server_that_comes_back_has_to_be_read_again(stage: Stage) -> None:
    await stage.add()
    await stage.pool.configure(["b"], events_max=7)
    await stage.pool.configure(["a"], events_max=7)
    with refused("not_reconciled", "a"):
        await stage.try_acquire()
    await stage.open()
    assert (await stage.try_acquire()).word == "LEASED"

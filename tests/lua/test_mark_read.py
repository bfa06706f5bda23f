"""mark_read: a server was read completely."""

from __future__ import annotations

from tests.lua.stage import Stage, refused


async def test_the_reading_is_remembered(stage: Stage) -> None:
    first = stage.clock.at
    stage.clock.move(30)
    await stage.pool.mark_read("a", epoch=await stage.pool.epoch(), listed=12)
    server = await stage.pool.server("a")
    assert (server["first_read_at"], server["read_at"], server["listed"]) == (str(first), str(first + 30), "12")


async def test_a_reading_that_began_in_an_earlier_epoch_does_not_count(stage: Stage) -> None:
    before = await stage.pool.epoch()
    epoch = await stage.pool.renew_epoch("another life")
    with refused("stale", epoch):
        await stage.pool.mark_read("a", epoch=before, listed=12)
    with refused("not_reconciled", "a"):
        await stage.try_acquire()


async def test_only_configured_servers(stage: Stage) -> None:
    with refused("not_configured"):
        await stage.pool.mark_read("b", epoch=await stage.pool.epoch(), listed=0)

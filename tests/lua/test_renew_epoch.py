"""renew_epoch: the pool's life since Redis could last have lost writes."""

from __future__ import annotations

from tests.lua.stage import Stage


async def test_the_same_life_changes_nothing(stage: Stage) -> None:
    epoch = await stage.pool.epoch()
    stage.clock.move(1000)
    assert await stage.pool.renew_epoch("life") == epoch
    assert [event["type"] for event in await stage.events()] == ["pool.created"]


async def test_another_life_begins_a_later_epoch(stage: Stage) -> None:
    epoch = await stage.pool.epoch()
    stage.clock.move(1000)
    assert await stage.pool.renew_epoch("another life") == str(stage.clock.at)
    [event] = await stage.events("pool.rewound")
    assert (event["previous"], event["behind"]) == (epoch, "0")


async def test_the_epoch_grows_even_when_the_clock_does_not(stage: Stage) -> None:
    epoch = int(await stage.pool.epoch())
    stage.clock.move(-5000)
    assert await stage.pool.renew_epoch("another life") == str(epoch + 1)


async def test_a_pool_behind_its_mirror_is_renewed_in_any_case(stage: Stage) -> None:
    epoch = int(await stage.pool.epoch())
    assert await stage.pool.renew_epoch("life", behind=True) == str(epoch + 1)
    assert [event["behind"] for event in await stage.events("pool.rewound")] == ["1"]

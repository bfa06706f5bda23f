"""The stream's bound: the oldest go, and what the mirror had not read is told."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from service.pool.pool import Pool
from tests.lua.stage import MovedClock, Stage

pytestmark = pytest.mark.redis

MOST = 10


@pytest.fixture
async def stage(redis: Redis) -> Stage:
    pool = Pool(redis, "test", clock=MovedClock())
    first = Stage(pool, MovedClock())
    stage = await first.beside("bounded")
    await stage.pool.configure(["a"], events_max=MOST)
    return stage


async def _toggle(stage: Stage, times: int) -> None:
    """Makes ``times`` events."""
    paused = (await stage.pool.stats()).paused
    for _ in range(times):
        paused = not paused
        assert await stage.pool.pause(paused=paused, actor="cli:ana")


async def _ids(stage: Stage) -> list[str]:
    entries = await stage.redis.xrange(stage.pool.keys.named("events"))
    return [str(entry_id) for entry_id, _ in entries]


async def test_below_the_bound_nothing_is_lost(stage: Stage) -> None:
    await _toggle(stage, MOST - 1)
    stats = await stage.pool.stats()
    assert (stats.events, stats.lost) == (MOST, None)


async def test_beyond_it_the_first_and_the_last_id_that_went_are_kept(stage: Stage) -> None:
    await _toggle(stage, MOST - 1)
    all_ids = await _ids(stage)
    await _toggle(stage, 4)
    stats = await stage.pool.stats()
    assert (stats.events, stats.lost) == (MOST, (all_ids[0], all_ids[3]))
    assert (await _ids(stage))[0] == all_ids[4]


async def test_what_the_mirror_has_read_is_not_lost(stage: Stage) -> None:
    await _toggle(stage, MOST - 1)
    all_ids = await _ids(stage)
    await stage.redis.hset(stage.pool.keys.named("meta"), "mirrored", all_ids[2])
    await _toggle(stage, 3)
    assert (await stage.pool.stats()).lost is None
    await _toggle(stage, 2)
    assert (await stage.pool.stats()).lost == (all_ids[3], all_ids[4])


async def test_ids_are_compared_as_numbers_across_epochs(stage: Stage) -> None:
    """9 < 10 in one epoch, and any event of an earlier epoch comes before all of a later one."""
    await stage.pool.configure(["a"], events_max=12)
    await _toggle(stage, 10)
    epoch = await stage.pool.epoch()
    await stage.redis.hset(stage.pool.keys.named("meta"), "mirrored", f"{epoch}-9")
    await stage.pool.renew_epoch("another life")
    await _toggle(stage, 9)
    assert (await stage.pool.stats()).lost is None
    await _toggle(stage, 1)
    assert (await stage.pool.stats()).lost == (f"{epoch}-10", f"{epoch}-10")


async def test_a_smaller_bound_is_reached_by_and_by(stage: Stage) -> None:
    await stage.pool.configure(["a"], events_max=1000)
    await _toggle(stage, 60)
    await stage.pool.configure(["a"], events_max=MOST)
    await _toggle(stage, 1)
    assert (await stage.pool.stats()).events == 62 - 16
    await _toggle(stage, 6)
    assert (await stage.pool.stats()).events == MOST

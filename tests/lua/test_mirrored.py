"""mirrored: what the mirror holds goes, and nothing else."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.stream import START, EventId
from tests.lua.stage import Stage, refused


async def _ids(stage: Stage) -> list[EventId]:
    entries = await stage.redis.xrange(stage.pool.keys.named("events"))
    return [EventId.parse(entry_id) for entry_id, _ in entries]


async def _bound(stage: Stage, most: int) -> None:
    await stage.pool.configure(["a"], events_max=most)


async def test_the_position_is_noted_and_what_lies_before_it_goes(stage: Stage) -> None:
    await stage.add(5)
    before = await _ids(stage)
    await stage.pool.mirrored(before[2], keep=0)
    assert await _ids(stage) == before[3:]
    assert (await stage.raw("meta"))["mirrored"] == str(before[2])


@pytest.mark.parametrize(("keep", "stay"), [(1, 1), (2, 2), (3, 3), (100, 4)])
async def test_a_tail_of_it_is_kept(stage: Stage, keep: int, stay: int) -> None:
    await stage.add(6)
    before = await _ids(stage)
    await stage.pool.mirrored(before[3], keep=keep)
    assert await _ids(stage) == before[4 - stay :]


async def test_the_tail_is_at_most_a_tenth_of_the_bound(stage: Stage) -> None:
    await _bound(stage, 20)
    await stage.add(6)
    before = await _ids(stage)
    await stage.pool.mirrored(before[5], keep=100)
    assert await _ids(stage) == before[4:]


async def test_earlier_epochs_go_as_a_whole_and_later_ones_stay(stage: Stage) -> None:
    await stage.add(2)
    await stage.pool.renew_epoch("life 2")
    await stage.add(4)
    middle = await stage.pool.epoch()
    await stage.pool.renew_epoch("life 3")
    await stage.pool.pause(paused=True, actor="auto")
    before = await _ids(stage)
    await stage.pool.mirrored(EventId(int(middle), 1), keep=5)
    assert await _ids(stage) == [one for one in before if one >= (int(middle), 1)]


@pytest.mark.parametrize(("past", "told"), [(-1, True), (0, False), (1, False)])
async def test_what_was_lost_is_forgotten_once_the_position_has_passed_it(stage: Stage, past: int, told: bool) -> None:
    await _bound(stage, 5)
    await stage.add(9)
    lost = (await stage.pool.read_events(START, 1)).lost
    assert lost is not None
    await stage.pool.mirrored(lost[1]._replace(seq=lost[1].seq + past), keep=0)
    assert ((await stage.pool.stats()).lost is not None) is told


async def test_a_position_after_the_newest_event_is_refused(stage: Stage) -> None:
    await stage.add(2)
    newest = (await _ids(stage))[-1]
    await stage.pool.mirrored(newest, keep=0)
    with refused("behind", str(newest)):
        await stage.pool.mirrored(newest._replace(seq=newest.seq + 1), keep=0)
    with refused("behind"):
        await stage.pool.mirrored(EventId(newest.epoch + 1, 1), keep=0)


@pytest.mark.parametrize("position", ["", "5", "5-", "a-1", "1-2-3", "-1-2"])
async def test_a_position_has_to_be_an_event_id(stage: Stage, position: str) -> None:
    with pytest.raises(ResponseError, match="BADARG position"):
        await stage.pool.run("mirrored", position=position, keep=0)

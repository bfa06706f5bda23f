"""sign: evidence for and against the proxy of a lease."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Applied, Lease
from tests.lua.stage import MINUTE, Stage, refused

GAP, WINDOW = 10_000, 5 * MINUTE


async def read(stage: Stage, lease: Lease, what: str, pause: int = GAP, *, age: int = 0, most: int = 3) -> int:
    """A reading that began ``age`` ms ago, ``pause`` ms after the last one."""
    stage.clock.move(pause)
    return await stage.pool.sign(lease, what, seen_at=stage.clock.at - age, gap_ms=GAP, window_ms=WINDOW, most=most)


async def active(stage: Stage) -> Lease:
    await stage.add(3)
    await stage.see()
    return await stage.active()


async def test_the_first_reading_that_is_not_open_is_no_sign_and_later_ones_are(stage: Stage) -> None:
    lease = await active(stage)
    assert await read(stage, lease, "connecting") == 0
    began = stage.clock.at
    assert await read(stage, lease, "connecting", GAP - 1) == 0
    assert await read(stage, lease, "connecting", 1) == 1
    assert await read(stage, lease, "connecting", GAP - 1) == 1
    assert await read(stage, lease, "connecting") == 2
    after = await stage.lease(lease.proxy_id)
    assert (after.troubled_since, after.signs) == (began, (began + GAP, began + 3 * GAP - 1))
    assert not after.looped
    assert len(await stage.events("lease.troubled")) == 1


async def test_signs_leave_the_window_and_only_the_last_ones_are_kept(stage: Stage) -> None:
    lease = await active(stage)
    counted = [await read(stage, lease, "connecting") for _ in range(6)]
    assert counted == [0, 1, 2, 3, 3, 3]
    assert await read(stage, lease, "connecting", WINDOW) == 1


@pytest.mark.parametrize("open_first", [False, True])
async def test_close_tells_a_loop_and_that_the_old_socket_is_gone(stage: Stage, open_first: bool) -> None:
    lease = await active(stage)
    await read(stage, lease, "connecting")
    assert not (await stage.lease(lease.proxy_id)).down
    if open_first:
        await stage.pool.mark(lease, "down")
        await stage.pool.mark(lease, "applied")
    await read(stage, lease, "close")
    after = await stage.lease(lease.proxy_id)
    assert (after.looped, after.down) == (True, True)
    assert after.applied is (Applied.YES if open_first else Applied.NO)


async def test_open_ends_the_trouble(stage: Stage) -> None:
    lease = await active(stage)
    await read(stage, lease, "close")
    assert await read(stage, lease, "open") == 0
    assert await stage.events("lease.recovered") == []
    assert await read(stage, lease, "close") == 0
    assert await read(stage, lease, "close") == 1
    assert await read(stage, lease, "open") == 0
    after = await stage.lease(lease.proxy_id)
    assert (after.troubled_since, after.signs, after.looped) == (None, (), False)
    assert len(await stage.events("lease.recovered")) == 1


async def test_a_refused_cure_is_a_sign_at_once_but_only_in_trouble(stage: Stage) -> None:
    lease = await active(stage)
    assert await read(stage, lease, "refused") == 0
    assert await read(stage, lease, "close") == 0
    assert await read(stage, lease, "cure", 0) == 0
    assert (await stage.lease(lease.proxy_id)).cured_at == stage.clock.at
    assert await read(stage, lease, "refused", 0) == 1


async def test_a_row_that_is_written_anew_begins_afresh(stage: Stage) -> None:
    lease = await active(stage)
    for _ in range(3):
        await read(stage, lease, "close")
    await read(stage, lease, "cure")
    await stage.pool.mark(lease, "asserted")
    after = await stage.lease(lease.proxy_id)
    assert (after.troubled_since, after.signs, after.looped, after.cured_at) == (None, (), False, None)


async def test_a_reading_from_before_the_row_was_written_proves_nothing(stage: Stage) -> None:
    lease = await active(stage)
    stage.clock.move(5)
    await stage.pool.mark(lease, "asserted")
    with refused("stale_sight"):
        await read(stage, lease, "close", 5, age=5)
    assert await read(stage, lease, "close", 0, age=4) == 0


async def test_only_the_active_lease_of_this_token_and_known_words(stage: Stage) -> None:
    await stage.add(3)
    with refused("wrong_phase", "reserved"):
        await read(stage, await stage.reserved("i1"), "close")
    _, old = await stage.tail("i2")
    with refused("wrong_phase", "releasing"):
        await read(stage, old, "close")
    with pytest.raises(ResponseError, match="BADARG what"):
        await read(stage, old, "sleepy")


async def test_found_open_it_waits_for_nobody_any_more(stage: Stage) -> None:
    lease = await active(stage)
    with refused("rotations_spent"):
        await stage.pool.rotate(lease, reason="dead_proxy", per_day=0)
    assert (await stage.pool.stats()).spent == 1
    await read(stage, lease, "open")
    assert ((await stage.pool.stats()).spent, (await stage.lease(lease.proxy_id)).spent) == (0, False)

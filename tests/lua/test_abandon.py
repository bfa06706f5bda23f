"""abandon: a reserved lease that came to nothing."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Phase, Waits
from tests.lua.stage import Stage, refused

SETTLE = 900_000


@pytest.mark.parametrize("how", ["refused", "unsent"])
async def test_an_explicit_no_gives_the_proxy_back_to_the_end_of_the_line(stage: Stage, how: str) -> None:
    first, second = await stage.add(2)
    assert await stage.pool.abandon(await stage.reserved(), how) == "free"
    assert (await stage.try_acquire("i2")).proxy_id == second
    assert (await stage.try_acquire("i3")).proxy_id == first


async def test_an_unknown_set_keeps_the_proxy_back_until_it_can_no_longer_land(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    assert await stage.pool.abandon(await stage.reserved(), "unknown") == "quarantined"
    stage.clock.move(SETTLE - 1)
    await stage.pool.sweep(limit=10)
    assert await stage.status(proxy_id) == "quarantined"
    stage.clock.move(1)
    await stage.pool.sweep(limit=10)
    assert await stage.status(proxy_id) == "free"


async def test_an_earlier_unknown_set_counts_from_its_own_time(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.reserved()
    await stage.pool.mark(lease, "unknown")
    stage.clock.move(SETTLE - 1)
    assert await stage.pool.abandon(lease, "refused") == "quarantined"
    stage.clock.move(1)
    await stage.pool.sweep(limit=10)
    lease = await stage.reserved("i2", pin=proxy_id)
    await stage.pool.mark(lease, "unknown")
    stage.clock.move(SETTLE)
    assert await stage.pool.abandon(lease, "refused") == "free"


async def test_the_replaced_lease_is_the_instances_again(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await stage.pool.abandon(new, "refused")
    back = await stage.lease(old.proxy_id)
    assert (back.phase, back.tail, back.waits, back.rest_ms) == (Phase.ACTIVE, False, None, 0)
    assert int(back.token) > int(new.token)
    assert await stage.raw("leases:a") == {"i1": old.proxy_id}
    with refused("stale", old.proxy_id, back.token):
        await stage.pool.row_cleared(old, "off")


async def test_a_replaced_lease_whose_clear_was_begun_has_to_be_written_again(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await stage.pool.begin_clear(old)
    await stage.pool.abandon(new, "refused")
    assert (await stage.lease(old.proxy_id)).phase is Phase.RESERVED


async def test_a_replaced_lease_whose_row_has_moved_stays_a_tail(stage: Stage) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await stage.pool.row_cleared(old, "off")
    await stage.pool.abandon(new, "refused")
    assert (await stage.lease(old.proxy_id)).tail
    assert await stage.raw("leases:a") == {}


async def test_what_was_active_before_is_released_as_a_tail_instead(stage: Stage) -> None:
    await stage.add()
    lease = await stage.cleared()
    await stage.pool.cancel_release(lease)
    assert await stage.pool.abandon(await stage.lease(lease.proxy_id), "refused") == "used"
    tail = await stage.lease(lease.proxy_id)
    assert (tail.tail, tail.phase, tail.waits) == (True, Phase.RELEASING, Waits.ROW)


async def test_five_refusals_of_different_proxies_engage_the_set_brake(stage: Stage) -> None:
    await stage.add(6)
    for number in range(1, 6):
        with_one_proxy_twice = await stage.reserved()
        await stage.pool.abandon(with_one_proxy_twice, "refused")
        assert ((await stage.pool.server("a")).get("set_brake") == "1") is (number == 5)
        stage.clock.move(1)
    assert (await stage.pool.server("a"))["set_brake_reason"] == "failed_sets count=5"
    assert [event["half"] for event in await stage.events("brake.engaged")] == ["set"]


async def test_refusals_of_one_proxy_count_once(stage: Stage) -> None:
    await stage.add()
    for _ in range(6):
        await stage.pool.abandon(await stage.reserved(), "refused")
    assert "set_brake" not in await stage.pool.server("a")


async def test_only_a_reserved_lease_of_this_token(stage: Stage) -> None:
    await stage.add()
    lease = await stage.reserved()
    await stage.pool.abandon(lease, "unsent")
    with refused("stale", lease.proxy_id):
        await stage.pool.abandon(lease, "unsent")
    again = await stage.active("i2")
    with refused("stale", lease.proxy_id, again.token):
        await stage.pool.abandon(lease, "unsent")
    with refused("wrong_phase", "active"):
        await stage.pool.abandon(again, "unsent")


async def test_how_is_one_of_three(stage: Stage) -> None:
    await stage.add()
    with pytest.raises(ResponseError, match="BADARG how"):
        await stage.pool.abandon(await stage.reserved(), "maybe")


async def test_after_an_unknown_set_the_proxy_is_not_offered_to_that_instance_again(stage: Stage) -> None:
    """A row that names it is then known as late, not as somebody's choice."""
    await stage.add()
    await stage.pool.abandon(await stage.reserved(), "unknown")
    stage.clock.move(SETTLE)
    await stage.pool.sweep(limit=10)
    assert (await stage.try_acquire()).word == "NO_PROXY_AVAILABLE"
    assert (await stage.try_acquire("i2")).word == "LEASED"


async def test_sets_of_five_instances_that_stay_unknown_engage_it_too_but_not_five_of_one(stage: Stage) -> None:
    await stage.add(9)
    for number in (0, 0, 0, 0, 0, 1, 2, 3):
        await stage.pool.abandon(await stage.reserved(f"i{number}"), "unknown")
    assert (await stage.pool.server("a")).get("set_brake") != "1"
    await stage.pool.abandon(await stage.reserved("i4"), "unknown")
    assert (await stage.pool.server("a"))["set_brake"] == "1"

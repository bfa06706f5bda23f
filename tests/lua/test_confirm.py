"""confirm: reserved becomes active."""

from __future__ import annotations

from service.pool.models import Applied, Phase
from tests.lua.stage import Stage, refused


async def test_a_row_that_was_read_back_makes_the_lease_active(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see()
    lease = await stage.reserved()
    await stage.pool.confirm(lease)
    lease = await stage.lease(proxy_id)
    assert (lease.phase, lease.applied, lease.active_at) == (Phase.ACTIVE, Applied.NO, stage.clock.at)
    assert await stage.raw("rows") == {"a/i1": proxy_id}
    assert (await stage.pool.stats()).unapplied == 1


async def test_again_changes_nothing(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.mark(lease, "down")
    stage.clock.move(5)
    await stage.pool.confirm(lease)
    again = await stage.lease(lease.proxy_id)
    assert (again.down, again.active_at, len(await stage.events("lease.confirmed"))) == (True, lease.active_at, 1)


async def test_a_success_opens_the_set_half_of_the_brake_and_ends_the_row_of_refusals(stage: Stage) -> None:
    await stage.add(2)
    await stage.pool.abandon(await stage.reserved(), "refused")
    lease = await stage.reserved()
    await stage.pool.brake("a", "set", engaged=True, reason="x")
    await stage.pool.confirm(lease)
    server = await stage.pool.server("a")
    assert (server["set_brake"], server["last_good"]) == ("0", lease.proxy_id)
    assert not await stage.redis.exists(stage.pool.keys.named("refused:a"))
    assert [event["half"] for event in await stage.events("brake.released")] == ["set"]


async def test_only_a_reserved_lease_of_this_token(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    with refused("wrong_phase", "releasing"):
        await stage.pool.confirm(lease)
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.confirm(lease)


async def test_a_reservation_is_no_instances_lease(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.reserve("a", "shop", reservation="r1", expires_at=stage.clock.at + 1000, actor="token:x")
    with refused("stale"):
        await stage.pool.confirm(await stage.lease(proxy_id))


async def test_a_confirmed_lease_replaces_nothing_any_more(stage: Stage) -> None:
    await stage.add(2)
    new, _ = await stage.tail()
    await stage.pool.confirm(new)
    assert (await stage.lease(new.proxy_id)).replaces is None

"""cancel_release: the instance keeps its proxy."""

from __future__ import annotations

import pytest

from service.pool.models import Applied, Phase, Waits
from tests.lua.stage import Stage, refused


@pytest.mark.parametrize("waits", [Waits.GRACE, Waits.ROW])
async def test_before_the_clear_the_lease_is_what_it_was(stage: Stage, waits: Waits) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.releasing("i1", waits, rest_ms=5, rest_reason="ban", socket_gone=True)
    stage.clock.move(10)
    phase, token = await stage.pool.cancel_release(lease)
    kept = await stage.lease(proxy_id)
    assert (phase, token, kept.phase) == ("active", kept.token, Phase.ACTIVE)
    assert int(token) > int(lease.token)
    assert (kept.waits, kept.rest_ms, kept.socket_gone, kept.release_reason) == (None, 0, False, "")


async def test_after_the_clear_was_begun_it_is_reserved_again(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.releasing()
    await stage.pool.begin_clear(lease)
    assert (await stage.pool.cancel_release(lease))[0] == "reserved"
    kept = await stage.lease(proxy_id)
    assert (kept.applied, kept.clear_begun_at, kept.reserved_at) == (Applied.NO, None, stage.clock.at)


async def test_a_row_that_was_seen_elsewhere_has_to_be_written_again(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    await stage.pool.row_cleared(lease, "off")
    assert (await stage.pool.cancel_release(lease))[0] == "reserved"


async def test_what_was_reserved_is_reserved_again(stage: Stage) -> None:
    await stage.add()
    lease = await stage.reserved()
    await stage.pool.begin_release(lease, Waits.ROW, reason="human")
    assert (await stage.pool.cancel_release(lease))[0] == "reserved"


async def test_a_lease_that_is_not_releasing_stays_as_it_is(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    lease = await stage.active(human=True)
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    assert await stage.pool.cancel_release(lease, manage=True) == ("active", lease.token)
    assert (await stage.pool.unmanaged("a"), await stage.events("lease.kept")) == (set(), [])


async def test_a_stuck_release_is_no_longer_stuck(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    for _ in range(6):
        await stage.pool.refuse_release(lease, "400")
    await stage.pool.cancel_release(lease)
    kept = await stage.lease(lease.proxy_id)
    assert (kept.stuck, kept.refusals, (await stage.pool.stats()).stuck) == (False, 0, 0)


async def test_a_tail_cant_come_back_and_nothing_changes(stage: Stage) -> None:
    await stage.add(2)
    await stage.see()
    _, old = await stage.tail()
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    with refused("wrong_phase", "tail"):
        await stage.pool.cancel_release(old, manage=True)
    assert await stage.pool.unmanaged("a") == {"i1"}


async def test_only_the_lease_of_this_token(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.cancel_release(lease)


async def test_policy_does_not_undo_the_release_of_an_instance_that_a_human_left_unmanaged(stage: Stage) -> None:
    await stage.add()
    await stage.see()
    lease = await stage.active()
    await stage.pool.begin_release(lease, Waits.ROW, reason="by_hand", actor="cli:ana", unmanage=True)
    with refused("wrong_phase", "unmanaged"):
        await stage.pool.cancel_release(lease)
    kept = await stage.lease(lease.proxy_id)
    assert (kept.phase, kept.token, await stage.pool.unmanaged("a")) == (Phase.RELEASING, lease.token, {"i1"})
    assert (await stage.pool.cancel_release(lease, manage=True))[0] == "active"
    assert await stage.pool.unmanaged("a") == set()

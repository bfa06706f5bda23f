"""begin_release: what a release waits for."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Phase, Waits
from tests.lua.stage import HOUR, MINUTE, Stage, refused


async def test_the_proxy_stays_used_while_the_release_waits(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active()
    until = stage.clock.at + MINUTE
    assert await stage.pool.begin_release(lease, Waits.GRACE, reason="closed", grace_until=until) is Waits.GRACE
    lease = await stage.lease(proxy_id)
    assert (lease.phase, lease.waits, lease.grace_until, lease.release_reason) == (
        Phase.RELEASING,
        Waits.GRACE,
        until,
        "closed",
    )
    assert await stage.status(proxy_id) == "used"


async def test_it_only_moves_forward(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.releasing("i1", Waits.GRACE)
    assert await stage.pool.begin_release(lease, Waits.ROW, reason="final") is Waits.ROW
    assert await stage.pool.begin_release(lease, Waits.GRACE, reason="closed") is Waits.ROW
    assert (await stage.lease(proxy_id)).release_reason == "final"
    await stage.pool.row_cleared(lease, "off")
    assert await stage.pool.begin_release(lease, Waits.ROW, reason="again") is Waits.SOCKET
    assert len(await stage.events("lease.releasing")) == 2


async def test_its_rest_never_gets_shorter(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.releasing("i1", rest_ms=HOUR, rest_reason="ban")
    await stage.pool.begin_release(lease, Waits.ROW, reason="human", unmanage=True, rest_ms=0)
    assert (await stage.lease(proxy_id)).rest_ms == HOUR


async def test_a_set_that_may_be_under_way_is_remembered(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.begin_release(await stage.reserved(), Waits.ROW, reason="human")
    assert (await stage.lease(proxy_id)).unknown_at == stage.clock.at


async def test_unmanage_keeps_policy_away_and_is_told_once(stage: Stage) -> None:
    await stage.add(2)
    await stage.see()
    lease = await stage.active()
    for _ in range(2):
        await stage.pool.begin_release(lease, Waits.ROW, reason="human", unmanage=True, actor="cli:ana")
    assert await stage.pool.unmanaged("a") == {"i1"}
    [event] = await stage.events("lease.releasing")
    assert event["actor"] == "cli:ana"


async def test_a_final_close_is_kept_as_proof_that_no_socket_is_left(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing("i1", socket_gone=True)
    assert lease.socket_gone
    assert await stage.pool.row_cleared(lease, "off")


async def test_only_the_lease_of_this_token(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.begin_release(lease, Waits.ROW, reason="late")


async def test_the_release_by_hand_of_a_tail_is_too_late(stage: Stage) -> None:
    await stage.add(2)
    _, old = await stage.tail()
    with refused("stale", old.proxy_id, old.token):
        await stage.pool.begin_release(old, Waits.ROW, reason="human", unmanage=True)
    assert await stage.pool.unmanaged("a") == set()
    await stage.pool.begin_release(old, Waits.ROW, reason="final", socket_gone=True)


async def test_nobody_begins_with_the_socket(stage: Stage) -> None:
    await stage.add()
    with pytest.raises(ResponseError, match="BADARG waits"):
        await stage.pool.begin_release(await stage.active(), Waits.SOCKET, reason="x")

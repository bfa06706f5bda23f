"""row_cleared: half of the proof."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from service.pool.models import Evidence, Waits
from tests.lua.stage import Stage, refused, spec


@pytest.mark.parametrize("socket_gone", [False, True])
async def test_the_release_waits_for_the_socket_now(stage: Stage, socket_gone: bool) -> None:
    await stage.add()
    lease = await stage.releasing("i1", socket_gone=socket_gone)
    await stage.pool.mark(lease, "down")
    for _ in range(2):
        assert await stage.pool.row_cleared(lease, "off") is socket_gone
    after = await stage.lease(lease.proxy_id)
    assert (after.waits, after.down) == (Waits.SOCKET, False)
    assert await stage.raw("rows") == {}
    assert len(await stage.events("lease.row_cleared")) == 1


@pytest.mark.parametrize("again", ["cleared", "seen", "rotated"])
async def test_a_row_that_named_the_proxy_again_voids_what_was_seen_of_the_socket(stage: Stage, again: str) -> None:
    """A late set landed, and the instance may have reconnected through it before the row was put right."""
    await stage.add(2)
    await stage.see("i1")
    lease = await stage.cleared("i1", socket_gone=True)
    await stage.pool.mark(lease, "down")
    stage.clock.move(1)
    await stage.see("i1", row=lease.proxy_id)
    stage.clock.move(1)
    if again == "cleared":
        assert not await stage.pool.row_cleared(lease, "off")
    elif again == "seen":
        await stage.see("i1", row="off")
    else:
        await stage.see("i1", row=spec(2).id)
    after = await stage.lease(lease.proxy_id)
    assert (after.waits, after.down, after.socket_gone) == (Waits.SOCKET, False, False)
    with refused("wrong_phase"):
        await stage.pool.finish_release(lease, Evidence.MOVED)
    assert await stage.moved(lease) == "free"


async def test_what_the_row_names_instead_is_remembered(stage: Stage) -> None:
    first, second = await stage.add(2)
    lease = await stage.releasing()
    await stage.pool.row_cleared(lease, second)
    assert await stage.raw("rows") == {"a/i1": second}
    assert (lease.proxy_id, await stage.status(second)) == (first, "quarantined")


@pytest.mark.parametrize("row", ["", "same"])
async def test_no_evidence_is_no_argument(stage: Stage, row: str) -> None:
    await stage.add()
    lease = await stage.releasing()
    with pytest.raises(ResponseError, match="BADARG row"):
        await stage.pool.row_cleared(lease, row and lease.proxy_id)


async def test_only_a_release_of_this_token_that_waits_for_its_row(stage: Stage) -> None:
    await stage.add(2)
    with refused("wrong_phase", "active", ""):
        await stage.pool.row_cleared(await stage.active("i1"), "off")
    lease = await stage.releasing("i2", Waits.GRACE)
    with refused("wrong_phase", "releasing", "grace"):
        await stage.pool.row_cleared(lease, "off")
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.row_cleared(lease, "off")

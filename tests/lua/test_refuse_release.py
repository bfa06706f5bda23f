"""refuse_release: a clear that Evolution refused."""

from __future__ import annotations

from service.pool.models import Phase, Waits
from tests.lua.stage import Stage, refused


async def test_the_sixth_refusal_sets_the_release_aside(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    stuck = [await stage.pool.refuse_release(lease, "400 Bad Request") for _ in range(7)]
    assert stuck == [False] * 5 + [True] * 2
    assert (await stage.pool.stats()).stuck == 1
    [event] = await stage.events("lease.stuck")
    assert (event["level"], event["reason"], event["refusals"]) == ("error", "400 Bad Request", "6")
    after = await stage.lease(lease.proxy_id)
    assert (after.phase, after.waits, after.stuck) == (Phase.RELEASING, Waits.ROW, True)


async def test_a_row_seen_cleared_ends_it(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    for _ in range(6):
        await stage.pool.refuse_release(lease, "400")
    await stage.pool.row_cleared(lease, "off")
    assert (await stage.pool.stats()).stuck == 0


async def test_only_a_release_of_this_token(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    with refused("wrong_phase", "active"):
        await stage.pool.refuse_release(lease, "400")
    await stage.pool.begin_release(lease, Waits.ROW, reason="x")
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.refuse_release(lease, "400")

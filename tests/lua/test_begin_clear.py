"""begin_clear: the point of no simple return."""

from __future__ import annotations

from service.pool.models import Waits
from tests.lua.stage import Stage, refused


async def test_the_moment_is_written_once(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    began = stage.clock.at
    for _ in range(2):
        await stage.pool.begin_clear(lease)
        stage.clock.move(5)
    assert (await stage.lease(lease.proxy_id)).clear_begun_at == began
    assert len(await stage.events("lease.clearing")) == 1


async def test_nothing_is_cleared_that_is_not_to_be_cleared(stage: Stage) -> None:
    await stage.add(3)
    with refused("wrong_phase", "active", ""):
        await stage.pool.begin_clear(await stage.active("i1"))
    with refused("wrong_phase", "releasing", "grace"):
        await stage.pool.begin_clear(await stage.releasing("i2", Waits.GRACE, grace_until=stage.clock.at))
    with refused("wrong_phase", "releasing", "socket"):
        await stage.pool.begin_clear(await stage.cleared("i3"))


async def test_a_release_that_was_cancelled_meanwhile_is_not_cleared(stage: Stage) -> None:
    await stage.add()
    lease = await stage.releasing()
    _, token = await stage.pool.cancel_release(lease)
    with refused("stale", lease.proxy_id, token):
        await stage.pool.begin_clear(lease)

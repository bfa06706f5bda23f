"""unmanage: policy keeps away (test_acquire.py)."""

from __future__ import annotations

from tests.lua.stage import Stage


async def test_one_event_a_change_and_the_figures_follow(stage: Stage) -> None:
    await stage.see()
    assert (await stage.pool.stats()).unprotected == 1
    for unmanaged in (False, True, True):
        await stage.pool.unmanage("a", "i1", unmanaged=unmanaged, actor="cli:ana")
    assert (await stage.pool.stats()).unprotected == 0
    await stage.pool.unmanage("a", "i1", unmanaged=False, actor="cli:ana")
    assert (await stage.pool.stats()).unprotected == 1
    types = [event["type"] for event in await stage.events() if event["actor"] == "cli:ana"]
    assert types == ["instance.unmanaged", "instance.managed"]


async def test_no_lease_changes(stage: Stage) -> None:
    await stage.add()
    lease = await stage.active()
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    assert await stage.lease(lease.proxy_id) == lease


async def test_the_will_of_a_human_outlives_a_server_that_was_not_seen_yet(stage: Stage) -> None:
    await stage.pool.unmanage("a", "i1", unmanaged=True, actor="cli:ana")
    await stage.see()
    assert await stage.pool.unmanaged("a") == {"i1"}

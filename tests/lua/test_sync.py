"""sync: what a file no longer names."""

from __future__ import annotations

from service.pool.models import Phase
from tests.lua.stage import Stage, spec


async def _sync(stage: Stage, limit: int) -> int:
    cursor, total = "", 0
    while True:
        cursor, drained = await stage.pool.sync(stamp="s1", cursor=cursor, limit=limit, actor="cli:ana")
        total += drained
        if not cursor:
            return total


async def test_what_the_import_did_not_name_is_drained_page_by_page(stage: Stage) -> None:
    ids = await stage.add(5)
    lease = await stage.active(pin=ids[4])
    await stage.pool.import_proxies([spec(1), spec(2)], stamp="s1", actor="cli:ana")
    assert await _sync(stage, limit=2) == 3
    assert [await stage.status(one) for one in ids] == ["free", "free", "disabled", "disabled", "used"]
    assert (await stage.lease(lease.proxy_id)).phase is Phase.ACTIVE
    assert {event["reason"] for event in await stage.events("proxy.disabled")} == {"sync"}


async def test_again_drains_nothing(stage: Stage) -> None:
    await stage.add(3)
    assert [await _sync(stage, limit=10) for _ in range(2)] == [3, 0]

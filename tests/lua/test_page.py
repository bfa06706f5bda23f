"""page: proxies from a cursor on."""

from __future__ import annotations

from service.pool.models import Phase
from tests.lua.stage import Stage


async def test_each_proxy_is_met_once_in_the_order_of_ids(stage: Stage) -> None:
    ids = await stage.add(5)
    met, cursor = [], ""
    for _ in range(3):
        cursor, proxies = await stage.pool.page(cursor, limit=2)
        met += [proxy.id for proxy in proxies]
    assert (met, cursor) == (sorted(ids), "")


async def test_a_full_last_page_is_followed_by_an_empty_one(stage: Stage) -> None:
    await stage.add(2)
    cursor, proxies = await stage.pool.page(limit=2)
    assert (cursor, len(proxies)) == (proxies[-1].id, 2)
    assert await stage.pool.page(cursor, limit=2) == ("", [])


async def test_a_held_proxy_comes_with_its_lease(stage: Stage) -> None:
    await stage.add()
    await stage.active()
    _, [proxy] = await stage.pool.page()
    assert proxy.lease is not None
    assert (proxy.lease.holder, proxy.lease.phase) == ("a/i1", Phase.ACTIVE)

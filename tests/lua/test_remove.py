"""remove: a proxy that nobody holds is forgotten."""

from __future__ import annotations

from service.pool.models import Evidence
from tests.lua.stage import HOUR, Stage, refused, spec


async def test_nothing_is_left_of_it(stage: Stage) -> None:
    [proxy_id] = await stage.add(expires_at=stage.clock.at + HOUR)
    await stage.pool.remove(proxy_id, actor="cli:ana")
    assert (await stage.pool.proxy(proxy_id), (await stage.pool.stats()).counts.total) == (None, 0)
    assert [event["proxy"] for event in await stage.events("proxy.removed")] == [proxy_id]
    with refused("unknown_proxy"):
        await stage.pool.remove(proxy_id, actor="cli:ana")


async def test_a_held_one_is_refused_with_its_holder(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.active()
    with refused("held", "a/i1"):
        await stage.pool.remove(proxy_id, actor="cli:ana")


async def test_a_probation_is_not_escaped_by_removal(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=HOUR, actor="auto")
    await stage.pool.remove(proxy_id, actor="auto")
    await stage.pool.import_proxies([spec()], stamp="s", actor="auto")
    assert await stage.status(proxy_id) == "cooling"


async def test_which_rows_name_it_is_not_forgotten(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.see("foreign", row=proxy_id)
    await stage.pool.remove(proxy_id, actor="auto")
    assert (await stage.pool.stats()).external == 1
    await stage.add()
    assert await stage.status(proxy_id) == "quarantined"


async def test_what_was_remembered_for_a_number_is_forgotten(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    lease = await stage.active("i1", owner="5511")
    await stage.pool.finish_release(lease, Evidence.GONE)
    await stage.pool.remove(proxy_id, actor="auto")
    assert await stage.raw("memory") == {}

"""sweep: what is due by the clock alone."""

from __future__ import annotations

import pytest

from service.pool.models import Evidence
from tests.lua.stage import MINUTE, Stage

MEMORY = 604_800_000


@pytest.mark.parametrize(("early", "status"), [(1, "quarantined"), (0, "free")])
async def test_a_probation_ends_at_its_time(stage: Stage, early: int, status: str) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
    stage.clock.move(MINUTE - early)
    assert not await stage.pool.sweep(limit=10)
    assert await stage.status(proxy_id) == status


@pytest.mark.parametrize(("early", "kept"), [(1, True), (0, False)])
async def test_a_memory_fades_at_its_time(stage: Stage, early: int, kept: bool) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.finish_release(await stage.active(owner="5511"), Evidence.GONE)
    stage.clock.move(MEMORY - early)
    await stage.pool.sweep(limit=10)
    assert await stage.raw("memory") == (dict.fromkeys(("phone:5511", "name:a/name-i1"), proxy_id) if kept else {})


@pytest.mark.parametrize(("early", "status"), [(1, "free"), (0, "disabled")])
async def test_a_proxy_expires_at_its_time(stage: Stage, early: int, status: str) -> None:
    [proxy_id] = await stage.add(expires_at=stage.clock.at + MINUTE)
    stage.clock.at += MINUTE - early - 1
    await stage.pool.sweep(limit=10)
    assert await stage.status(proxy_id) == status


async def test_a_held_proxy_that_expires_drains(stage: Stage) -> None:
    [proxy_id] = await stage.add(expires_at=stage.clock.at + MINUTE)
    await stage.active()
    stage.clock.move(MINUTE)
    await stage.pool.sweep(limit=10)
    assert [event["reason"] for event in await stage.events("proxy.disabled")] == ["expired"]
    assert await stage.status(proxy_id) == "used"


async def test_one_that_a_row_names_by_now_stays_back(stage: Stage) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
    await stage.see("foreign", row=proxy_id)
    stage.clock.move(MINUTE)
    await stage.pool.sweep(limit=10)
    proxy = await stage.pool.proxy(proxy_id)
    assert proxy is not None
    assert (proxy.status.value, proxy.quarantine_reason) == ("quarantined", "seen")


async def test_at_most_limit_of_each_kind_and_more_is_told(stage: Stage) -> None:
    for proxy_id in await stage.add(3):
        await stage.pool.quarantine(proxy_id, reason="dead", probation_ms=MINUTE, actor="auto")
    stage.clock.move(MINUTE)
    assert [await stage.pool.sweep(limit=2) for _ in range(2)] == [True, False]
    assert (await stage.pool.stats()).counts.available == 3

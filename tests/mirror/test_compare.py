"""The full comparison: finds and repairs what differs, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import Comparison
from service.mirror.compare import Comparer, EmptiedError
from service.mirror.database import open_database
from service.mirror.mirror import Mirror
from service.mirror.schema import POSITION, PROXIES
from service.pool.models import Evidence
from service.pool.pool import Pool
from service.pool.records import Snapshot
from service.pool.stream import EventId, Reading
from service.pool.vault import Vault
from tests.lua.stage import MINUTE, Stage
from tests.mirror.scene import Life, assert_table_equals_pool, rows

pytestmark = pytest.mark.redis

HOURS_6 = 21_600_000


@pytest.fixture
def comparer(mirror: Mirror) -> Comparer:
    return Comparer(mirror, page=3)


async def test_equal_after_a_life_that_was_mirrored(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await stage.add(20)
    await Life(stage, 4).happen(100)
    result = await comparer.compare()
    assert (result.compared, result.differences) == (await stage.pool.size(), 0)
    assert result.compared > 10


async def test_each_kind_of_difference_is_counted_and_repaired(
    stage: Stage, comparer: Comparer, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ids = sorted(await stage.add(10))
    await mirror.catch_up()
    await _write(mirror.engine, delete(PROXIES).where(PROXIES.c.id.in_(ids[:2])))
    await _write(mirror.engine, update(PROXIES).where(PROXIES.c.id.in_(ids[4:7])).values(host="9.9.9.9"))
    for surplus in ("0" * 20, "f" * 20, "Somebody's own"):
        [row] = await rows(mirror.engine, PROXIES, PROXIES.c.id == ids[9])
        await _write(mirror.engine, PROXIES.insert().values(row | {"id": surplus}))
    expected = Comparison(compared=10, absent=2, differing=3, surplus=3)
    assert await comparer.compare(repair=False) == expected
    assert await comparer.compare() == expected
    await assert_table_equals_pool(mirror.engine, stage.pool)
    assert await comparer.compare() == Comparison(compared=10)
    assert comparer.differences == 16
    assert [one.repaired for one in caplog.records if hasattr(one, "repaired")] == [0, 8, 0]


async def test_what_an_edited_row_may_hold(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await stage.add(3)
    await mirror.catch_up()
    edited: dict[str, Any] = {"token": 7, "assigned_instance_name": "x" * 255, "labels": None, "status": "?" * 20}
    await _write(mirror.engine, update(PROXIES).values(edited))
    assert (await comparer.compare()).differing == 3
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_what_changed_without_an_event_is_no_difference(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await stage.add(2)
    lease = await stage.active()
    await mirror.catch_up()
    await stage.pool.mark(lease, "sending")
    assert (await comparer.compare()).differences == 0
    [row] = await rows(mirror.engine, PROXIES, PROXIES.c.id == lease.proxy_id)
    assert row["state"]["lease"]["sending_at"] == str(stage.clock.at)


async def test_a_new_encryption_key_reaches_the_table(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await stage.add(5)
    assert await comparer.compare_if_due() is not None
    stage.pool.vault = Vault(["a new key"])
    stage.clock.move(1)
    assert [one async for one in stage.pool.rotate_key(actor="cli:ana")]
    assert await comparer.compare_if_due() == Comparison(compared=5)
    assert all(row["password"].startswith("sealed:") for row in await rows(mirror.engine, PROXIES))
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_a_rest_that_has_ended_is_no_difference(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await stage.add()
    await stage.pool.finish_release(await stage.active(), Evidence.GONE, rest_ms=MINUTE, rest_reason="ban")
    await mirror.catch_up()
    stage.clock.move(MINUTE)
    assert (await comparer.compare()).differences == 0


class BusyPool(Pool):
    """Something happens once, just before proxies or just after events are read."""

    def __init__(self, of: Pool) -> None:
        super().__init__(of.redis, of.name, clock=of.clock)
        self.before_proxies: Callable[[], Awaitable[object]] | None = None
        self.after_events: Callable[[], Awaitable[object]] | None = None

    async def snapshots(self, proxy_ids: Sequence[str]) -> list[Snapshot]:
        happens, self.before_proxies = self.before_proxies, None
        if happens:
            await happens()
        return await super().snapshots(proxy_ids)

    async def read_events(self, position: EventId, limit: int) -> Reading:
        found = await super().read_events(position, limit)
        happens, self.after_events = self.after_events, None
        if happens:
            await happens()
        return found


async def test_what_changes_while_it_looks_is_no_difference(stage: Stage, mirror: Mirror) -> None:
    ids = await stage.add(3)
    await mirror.catch_up()
    busy = BusyPool(stage.pool)
    busy.before_proxies = lambda: stage.pool.disable(ids[1], reason="human", actor="cli:ana")
    assert await Comparer(Mirror(busy, mirror.engine)).compare() == Comparison(compared=3)
    await mirror.catch_up()
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_it_does_not_write_over_what_is_newer(stage: Stage, database_url: str, mirror: Mirror) -> None:
    """The mirror of another replica would write while it holds what it has read."""
    [proxy_id] = await stage.add()
    await mirror.catch_up()
    await _write(mirror.engine, update(PROXIES).values(host="9.9.9.9"))
    busy, running = BusyPool(stage.pool), []

    async def change() -> None:
        await stage.pool.disable(proxy_id, reason="human", actor="cli:ana")
        running.append(asyncio.create_task(mirror.catch_up()))
        await asyncio.wait(running, timeout=0.3)  # without a lock it is done by then

    async with open_database(database_url) as other:
        comparer = Comparer(follower := Mirror(busy, other))
        await follower.catch_up()
        busy.after_events = change
        assert await comparer.compare() == Comparison(compared=1, differing=1)
        await asyncio.gather(*running)
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_a_busy_pool_differs_in_nothing(stage: Stage, mirror: Mirror) -> None:
    await stage.add(30)
    mirror.batch = 4
    comparer, life = Comparer(mirror, page=5), Life(stage, 5)
    found = Comparison()
    for _ in range(6):
        _, result = await asyncio.gather(life.happen(40), comparer.compare())
        found.compared += result.compared
        assert result.differences == 0
    assert found.compared > 100


@pytest.mark.parametrize("left", [0, 4])
async def test_an_emptied_pool_does_not_empty_the_table(
    stage: Stage, comparer: Comparer, mirror: Mirror, left: int
) -> None:
    await stage.add(10)
    await stage.reserved()
    await mirror.catch_up()
    before = await rows(mirror.engine, PROXIES)
    await stage.redis.flushall()
    stage.clock.move(1)
    await stage.pool.renew_epoch("life")
    await stage.open()
    await stage.add(left, group="new")
    for _ in range(2):
        with pytest.raises(EmptiedError) as caught:
            await comparer.compare_if_due()
    assert caught.value.params == {"pool": left, "table": 10}
    now = await rows(mirror.engine, PROXIES)
    assert len([row for row in now if row in before]) == 10 - left
    assert all(row["removed_at"] is None for row in now)


async def test_it_is_due_at_first_then_by_the_clock_and_after_a_loss(
    stage: Stage, comparer: Comparer, mirror: Mirror
) -> None:
    await stage.add(3)
    stage.clock.move(1)
    assert await comparer.compare_if_due() == Comparison(compared=3)
    assert await comparer.compare_if_due() is None
    stage.clock.move(HOURS_6 - 1)
    assert await comparer.compare_if_due() is None
    stage.clock.move(1)
    assert await comparer.compare_if_due() == Comparison(compared=3)
    await stage.pool.configure(["a"], events_max=2)
    await stage.add(8)
    stage.clock.move(1)
    assert await comparer.compare_if_due() == Comparison(compared=8, absent=3)
    stage.clock.move(1)
    assert await comparer.compare_if_due() is None
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_a_loss_meanwhile_makes_it_due_again(stage: Stage, comparer: Comparer, mirror: Mirror) -> None:
    await mirror.catch_up()
    later = stage.clock.at + 1
    await _write(mirror.engine, update(POSITION).values(compare_due_at=later))
    await comparer.compare()
    [place] = await rows(mirror.engine, POSITION)
    assert (place["compared_at"], place["compare_due_at"]) == (stage.clock.at, later)


async def _write(engine: AsyncEngine, statement: Any) -> None:
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(statement)

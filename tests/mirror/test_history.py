"""Snapshots of the figures: one a slot whoever takes them, fewer as they grow old, and points of even distance."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from service.errors import StoreUnavailableError
from service.mirror.database import DatabaseError, open_database
from service.mirror.history import MOST_POINTS
from service.mirror.mirror import Mirror
from service.mirror.questions import Questions
from service.mirror.schema import STATS
from service.mirror.snapshots import Snapshots, coarse_row, stats_row
from service.pool.stats import Counts, ServerFigures, Stats
from tests.lua.stage import HOUR, Stage
from tests.mirror.fill import AT, fill_stats
from tests.mirror.scene import rows

MINUTE, DAY = 60_000, 24 * HOUR
MIDNIGHT = AT - AT % DAY


def figures(**values: Any) -> Stats:
    stats = Stats.parse(["total", "10", "used", "4", "line", "6", "events", "9", "spent", "2", "paused", "1"])
    for name, value in values.items():
        setattr(stats, name, value)
    return stats


def row(at: int, span: int = 60, used: int = 4, lag: float | None = None) -> dict[str, Any]:
    return stats_row(figures(counts=Counts(10, used, 10 - used)), span, at, lag)


async def put(engine: AsyncEngine, *found: dict[str, Any]) -> None:
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(insert(STATS), list(found))


async def kept(engine: AsyncEngine) -> list[tuple[int, int]]:
    return [(one["span"], one["at"]) for one in await rows(engine, STATS)]


@pytest.mark.redis
async def test_a_row_holds_all_figures(stage: Stage, mirror: Mirror) -> None:
    await stage.add(4, group="br")
    await stage.see("i1")
    await stage.active("i1")
    await mirror.catch_up()
    await Snapshots(mirror, 60).take()
    [found] = await rows(mirror.engine, STATS)
    assert (found["span"], found["at"]) == (60, stage.clock.at - stage.clock.at % MINUTE)
    assert (found["total"], found["used"], found["available"], found["utilization"]) == (4, 1, 3, 25.0)
    assert (found["unprotected"], found["not_applied"], found["instances"], found["mirror_lag"]) == (1, 1, 1, 0)
    assert found["events"] == (await stage.pool.stats()).events
    data = found["data"]
    assert data["groups"]["br"]["available"] == 3
    assert data["servers"]["a"] == {"leases": 1, "unprotected": 1, "states": {"open": 1}}
    assert (data["states"], data["paused"], data["spent"]) == ({"open": 1}, False, 0)


@pytest.mark.redis
async def test_two_replicas_write_one_row_a_slot(stage: Stage, mirror: Mirror) -> None:
    stage.clock.at = MIDNIGHT
    both = [Snapshots(mirror, 60), Snapshots(Mirror(stage.pool, mirror.engine), 60)]
    for _ in range(4):
        await asyncio.gather(*(one.take() for one in both))
        stage.clock.move(MINUTE // 2)
    assert await kept(mirror.engine) == [(60, MIDNIGHT), (60, MIDNIGHT + MINUTE)]


@pytest.mark.redis
async def test_what_is_older_than_a_week_is_hourly_and_than_90_days_daily(stage: Stage, mirror: Mirror) -> None:
    stage.clock.at = MIDNIGHT + 10 * MINUTE
    old = MIDNIGHT - 91 * DAY
    week = MIDNIGHT - 7 * DAY
    await put(
        mirror.engine,
        row(old, 3_600, used=1),
        row(old + 23 * HOUR, 3_600, used=3),
        row(week - HOUR, used=2, lag=1),
        row(week - MINUTE, used=6, lag=4),
        row(week, used=8),
        row(week + HOUR, used=9),
    )
    await Snapshots(mirror, 60).take()
    found = await rows(mirror.engine, STATS)
    assert [(one["span"], one["at"], one["used"], one["utilization"], one["mirror_lag"]) for one in found] == [
        (60, week, 8, 80.0, None),
        (60, week + HOUR, 9, 90.0, None),
        (60, MIDNIGHT + 10 * MINUTE, 0, 0.0, None),
        (3_600, week - HOUR, 6, 40.0, 2.5),
        (86_400, old, 3, 20.0, None),
    ]


@pytest.mark.redis
async def test_a_run_puts_so_much_together_and_no_more(stage: Stage, mirror: Mirror) -> None:
    stage.clock.at = MIDNIGHT
    begin = MIDNIGHT - 10 * DAY
    await put(mirror.engine, *(row(begin + number * HOUR // 2) for number in range(60)))
    snapshots = Snapshots(mirror, 60)
    await snapshots.take()
    hours = [at for span, at in await kept(mirror.engine) if span == 3_600]
    assert hours == [begin + number * HOUR for number in range(24)]
    await snapshots.take()
    assert [at for span, at in await kept(mirror.engine) if span == 3_600] == [begin + n * HOUR for n in range(30)]
    assert [at for span, at in await kept(mirror.engine) if span == 60] == [MIDNIGHT]


@pytest.mark.redis
async def test_replicas_that_put_together_at_the_same_time(stage: Stage, mirror: Mirror) -> None:
    stage.clock.at = MIDNIGHT
    await put(mirror.engine, *(row(MIDNIGHT - 9 * DAY + number * MINUTE) for number in range(120)))
    await asyncio.gather(*(Snapshots(Mirror(stage.pool, mirror.engine), 60).take() for _ in range(3)))
    begin = MIDNIGHT - 9 * DAY
    assert await kept(mirror.engine) == [(60, MIDNIGHT), (3_600, begin), (3_600, begin + HOUR)]


def test_the_mean_of_what_is_known() -> None:
    first, last = row(0, used=1, lag=None), row(MINUTE, used=2, lag=3.0)
    found = coarse_row([first, last], 3_600)
    assert (found["utilization"], found["mirror_lag"], found["used"], found["at"]) == (15.0, 3.0, 2, 0)


@pytest.mark.redis
async def test_a_sql_that_is_gone_is_told_and_come_back_is_used(stage: Stage, mirror: Mirror) -> None:
    snapshots = Snapshots(mirror, 60)
    await snapshots.take()
    async with open_database("postgresql://u:p@127.0.0.1:1/x") as absent:
        mirror.engine, engine = absent, mirror.engine
        with pytest.raises(StoreUnavailableError):
            await snapshots.take()
        mirror.engine = engine
    stage.clock.move(MINUTE)
    await snapshots.take()
    assert len(await kept(engine)) == 2


@pytest.mark.redis
async def test_tables_that_somebody_dropped_are_told(stage: Stage, mirror: Mirror) -> None:
    snapshots = Snapshots(mirror, 60)
    await snapshots.take()
    async with mirror.engine.execution_options(writes=True).begin() as connection:
        await connection.execute(text("DROP TABLE pool_stats"))
    with pytest.raises(DatabaseError):
        await snapshots.take()


async def test_points_lie_in_the_range_and_are_the_last_of_their_step(engine: AsyncEngine) -> None:
    await put(engine, *(row(MIDNIGHT + number * MINUTE, used=number % 10) for number in range(30)))
    found = await Questions(engine).history(MIDNIGHT + 3 * MINUTE, MIDNIGHT + 22 * MINUTE, 300)
    assert found.step == 300
    assert [(point["at"] - MIDNIGHT) // MINUTE for point in found.points] == [4, 9, 14, 19, 21]
    assert [point["used"] for point in found.points] == [4, 9, 4, 9, 1]
    assert found.points[0]["spent"] == 2
    assert (await Questions(engine).history(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, 60)).points == []


async def test_a_gap_leaves_its_neighbours_alone(engine: AsyncEngine) -> None:
    await put(engine, *(row(MIDNIGHT + number * MINUTE) for number in (0, 1, 7, 8)))
    found = await Questions(engine).history(MIDNIGHT, MIDNIGHT + HOUR, 120)
    assert [(point["at"] - MIDNIGHT) // MINUTE for point in found.points] == [1, 7, 8]


async def test_rows_of_several_spans_are_one_line(engine: AsyncEngine) -> None:
    await put(engine, row(MIDNIGHT, 86_400, used=1), row(MIDNIGHT + DAY, 3_600, used=2))
    await put(engine, row(MIDNIGHT + DAY + HOUR, used=3), row(MIDNIGHT + DAY + HOUR, 30, used=4))
    found = await Questions(engine).history(MIDNIGHT, MIDNIGHT + 2 * DAY, HOUR // 1_000)
    assert [point["used"] for point in found.points] == [1, 2, 4]


@pytest.mark.parametrize("days", [1, 7, 30])
async def test_there_are_never_more_points_than_asked_for(engine: AsyncEngine, days: int) -> None:
    await fill_stats(engine, days=30)
    found = await Questions(engine).history(AT - days * DAY - 1, AT - 1, 1)
    assert MOST_POINTS // 2 < len(found.points) <= MOST_POINTS
    assert found.step >= days * DAY / 1_000 / MOST_POINTS
    ats = [point["at"] for point in found.points]
    assert ats == sorted(set(ats))
    assert all(AT - days * DAY - 1 <= at < AT - 1 for at in ats)


def test_a_row_of_servers() -> None:
    stats = figures(servers={"a": ServerFigures(leases=3, states={"open": 2})})
    assert stats_row(stats, 60, 0, None)["data"]["servers"] == {
        "a": {"leases": 3, "unprotected": 0, "states": {"open": 2}}
    }

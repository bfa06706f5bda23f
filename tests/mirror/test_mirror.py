"""The mirror: every event once, the table as the pool is, the stream trimmed behind it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, event, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.errors import SettingsError, StoreUnavailableError
from service.mirror.database import DatabaseError, open_database
from service.mirror.mirror import Mirror
from service.mirror.schema import EVENTS, POSITION, PROXIES
from service.pool.models import Evidence
from service.pool.stream import EventId
from tests.lua.stage import HOUR, MINUTE, Stage
from tests.mirror.scene import Life, assert_events_once, assert_table_equals_pool, rows, stage_on, stream

pytestmark = pytest.mark.redis


async def test_every_event_once_and_the_table_as_the_pool_is(stage: Stage, mirror: Mirror) -> None:
    life = Life(stage, seed=1)
    await stage.add(20)
    mirror.batch = 7
    for _ in range(5):
        await life.happen(40)
        await mirror.catch_up()
        await assert_table_equals_pool(mirror.engine, stage.pool)
    history = await stream(stage)
    assert len(history) > 100
    await assert_events_once(mirror.engine, history)


async def test_a_step_answers_how_many_and_the_next_finds_nothing(stage: Stage, mirror: Mirror) -> None:
    await stage.add(5)
    mirror.batch = 4
    assert [await mirror.step() for _ in range(4)] == [4, 2, 0, 0]


async def test_an_idle_mirror_asks_sql_for_nothing_but_now_and_then(stage: Stage, mirror: Mirror) -> None:
    await stage.add()
    await mirror.catch_up()
    with _statements(mirror.engine) as asked:
        await mirror.step()
        stage.clock.move(9_999)
        await mirror.step()
        assert asked == []
        stage.clock.move(1)
        await mirror.step()
        assert asked != []


async def test_the_stream_is_trimmed_behind_the_position(stage: Stage, mirror: Mirror) -> None:
    await stage.pool.configure(["a"], events_max=20)
    await stage.add(10)
    mirror.batch = 6
    await mirror.step()
    left = await stream(stage)
    assert len(left) == 11 - 6 + 2  # a tenth of the bound stays
    await mirror.catch_up()
    assert [entry_id for entry_id, _ in await stream(stage)] == [entry_id for entry_id, _ in left[-2:]]


async def test_a_removed_proxy_stays_as_removed_without_its_password(stage: Stage, mirror: Mirror) -> None:
    first, second = await stage.add(2)
    await mirror.catch_up()
    await stage.pool.remove(first, actor="cli:ana")
    await mirror.catch_up()
    found = {row["id"]: row for row in await rows(mirror.engine, PROXIES)}
    assert (found[first]["status"], found[first]["password"]) == ("removed", "")
    assert found[first]["removed_at"] == stage.clock.at
    assert (found[second]["status"], found[second]["removed_at"]) == ("free", None)
    await stage.add(1)
    await mirror.catch_up()
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_both_proxies_of_a_rotation_are_followed(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    new, old = await stage.tail()
    await mirror.catch_up()
    found = {row["id"]: row["phase"] for row in await rows(mirror.engine, PROXIES)}
    assert found == {new.proxy_id: "reserved", old.proxy_id: "releasing"}
    await stage.pool.abandon(new, "refused")
    await mirror.catch_up()
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_a_rest_ends_in_the_table_too(stage: Stage, mirror: Mirror) -> None:
    [proxy_id] = await stage.add()
    await stage.pool.finish_release(await stage.active(), Evidence.GONE, rest_ms=MINUTE, rest_reason="ban")
    await mirror.catch_up()
    assert [row["status"] for row in await rows(mirror.engine, PROXIES)] == ["cooling"]
    stage.clock.move(MINUTE)
    await mirror.catch_up()
    assert [row["status"] for row in await rows(mirror.engine, PROXIES)] == ["free"]
    assert await stage.status(proxy_id) == "free"


async def test_what_no_column_holds_is_cut_and_does_not_hold_up_the_rest(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2, group="g" * 300)
    await stage.reserved("i1", name="nul\0" + "n" * 300)
    await stage.reserved("i2", name="Padaria São João 🥖")
    await mirror.catch_up()
    names = {row["assigned_instance_name"] for row in await rows(mirror.engine, PROXIES)}
    assert names == {"nul\ufffd" + "n" * 251, "Padaria São João 🥖"}
    assert {row["group_name"] for row in await rows(mirror.engine, PROXIES)} == {"g" * 255}
    assert await mirror.step() == 0


async def test_names_that_differ_by_case_are_two(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    await stage.reserved("i1", name="loja")
    await stage.reserved("i2", name="LOJA")
    await mirror.catch_up()
    assert len(await rows(mirror.engine, EVENTS, EVENTS.c.name == "loja")) == 1


async def test_a_record_that_no_script_wrote_is_left_out(
    stage: Stage, mirror: Mirror, caplog: pytest.LogCaptureFixture
) -> None:
    broken, sound = await stage.add(2)
    await stage.redis.hset(stage.pool.keys.proxy(broken), "port", "many")
    await mirror.catch_up()
    assert [row["id"] for row in await rows(mirror.engine, PROXIES)] == [sound]
    assert [record.__dict__["proxy"] for record in caplog.records if record.levelno == logging.ERROR] == [broken]


async def test_lost_events_are_one_row_that_names_the_first_and_the_last(stage: Stage, mirror: Mirror) -> None:
    await stage.add(3)
    await mirror.catch_up()
    await stage.pool.configure(["a"], events_max=5)
    history = await stream(stage)
    for _ in range(4):
        await stage.pool.pause(paused=True, actor="cli:ana")
        await stage.pool.pause(paused=False, actor="cli:ana")
    newest = EventId.parse((await stream(stage))[-1][0])
    first, last = EventId(newest.epoch, 5), EventId(newest.epoch, newest.seq - 5)
    await mirror.catch_up()
    found = await rows(mirror.engine, EVENTS)
    assert [row["seq"] for row in found] == [*range(1, len(history) + 1), *range(last.seq, newest.seq + 1)]
    [lost] = [row for row in found if row["type"] == "events.lost"]
    assert (lost["id"], lost["level"], lost["data"]) == (
        str(last),
        "error",
        {"first": str(first), "last": str(last)},
    )
    assert mirror.lost == 1
    assert (await stage.pool.stats()).lost is None
    [place] = await rows(mirror.engine, POSITION)
    assert place["compare_due_at"] == stage.clock.at
    assert await mirror.step() == 0
    assert mirror.lost == 1


async def test_a_sql_that_falls_back_a_little_reads_the_tail_again(stage: Stage, mirror: Mirror) -> None:
    await stage.add(3)
    await mirror.catch_up()
    early = (await rows(mirror.engine, POSITION))[0]
    await Life(stage, 2).happen(30)
    history = await stream(stage)
    await mirror.catch_up()
    await _fall_back(mirror.engine, EventId(early["epoch"], early["seq"]))
    again = Mirror(stage.pool, mirror.engine)
    await again.catch_up()
    assert again.lost == 0
    await assert_events_once(mirror.engine, history)
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_one_that_falls_back_further_tells_what_is_lost(stage: Stage, mirror: Mirror) -> None:
    await stage.pool.configure(["a"], events_max=20)
    await stage.add(10)
    epoch = int(await stage.pool.epoch())
    await mirror.catch_up()
    await _fall_back(mirror.engine, EventId(epoch, 3))
    again = Mirror(stage.pool, mirror.engine)
    await again.catch_up()
    [lost] = await rows(mirror.engine, EVENTS, EVENTS.c.type == "events.lost")
    assert lost["data"] == {"first": f"{epoch}-4", "last": f"{epoch}-9"}


async def test_a_pool_that_is_behind_begins_a_new_epoch(stage: Stage, mirror: Mirror) -> None:
    """Redis came back with an older state in the same life: its next ids would be those that SQL holds already."""
    await stage.add(2)
    seq = int((await stage.raw("meta"))["seq"])
    await stage.add(5)
    await mirror.catch_up()
    held = await rows(mirror.engine, EVENTS)
    stage.clock.move(1)
    await stage.redis.hset(stage.pool.keys.named("meta"), "seq", seq)
    await stage.redis.xtrim(stage.pool.keys.named("events"), maxlen=0)
    await mirror.catch_up()
    stage.clock.move(20_000)
    await mirror.catch_up()
    found = await rows(mirror.engine, EVENTS)
    assert found[: len(held)] == held
    assert [row["type"] for row in found[len(held) :]] == ["pool.rewound"]
    await stage.pool.pause(paused=True, actor="cli:ana")
    assert await mirror.step() == 1


async def test_a_clock_behind_the_mirror_is_told(stage: Stage, mirror: Mirror) -> None:
    await stage.add(2)
    await mirror.catch_up()
    stage.clock.move(-HOUR)
    await stage.redis.delete(stage.pool.keys.named("meta"), stage.pool.keys.named("events"))
    with pytest.raises(DatabaseError, match="the clock of Redis is behind"):
        await Mirror(stage.pool, mirror.engine).catch_up()


async def test_two_replicas_do_not_meet(stage: Stage, database_url: str, mirror: Mirror) -> None:
    await stage.add(20)
    life = Life(stage, seed=3)
    async with open_database(database_url) as other:
        mirrors = [Mirror(stage.pool, engine, batch=5) for engine in (mirror.engine, other)]
        for _ in range(10):
            await asyncio.gather(life.happen(30), *(one.catch_up() for one in mirrors))
        await mirrors[0].catch_up()
    await assert_events_once(mirror.engine, await stream(stage))
    await assert_table_equals_pool(mirror.engine, stage.pool)


async def test_another_pools_database_is_refused(stage: Stage, mirror: Mirror) -> None:
    await mirror.step()
    other = await stage_on(stage.redis, "other")
    with pytest.raises(SettingsError, match="DATABASE_URL: this database mirrors the pool test"):
        await Mirror(other.pool, mirror.engine).step()


async def test_the_lag_is_the_age_of_the_oldest_event_outside_sql(stage: Stage, mirror: Mirror) -> None:
    assert _lag(mirror) is None
    await stage.pool.pause(paused=True, actor="cli:ana")
    await mirror.catch_up()
    assert _lag(mirror) == 0
    await stage.pool.pause(paused=False, actor="cli:ana")
    stage.clock.move(4_000)
    await stage.pool.pause(paused=True, actor="cli:ana")
    async with open_database("postgresql://u:p@127.0.0.1:1/x") as absent:
        mirror.engine, engine = absent, mirror.engine
        with pytest.raises(StoreUnavailableError):
            await mirror.step()
    assert _lag(mirror) == 4
    stage.clock.move(1_000)
    assert _lag(mirror) == 5
    mirror.engine = engine
    await mirror.catch_up()
    assert _lag(mirror) == 0


async def test_a_deleted_position_is_begun_anew(stage: Stage, mirror: Mirror) -> None:
    await stage.add(3)
    await mirror.catch_up()
    async with mirror.engine.execution_options(writes=True).begin() as connection:
        await connection.execute(delete(POSITION))
    await stage.add(4)
    with pytest.raises(DatabaseError, match="mirror_position has no row"):
        await mirror.step()
    await mirror.catch_up()
    await assert_events_once(mirror.engine, await stream(stage))


def _lag(mirror: Mirror) -> float | None:
    return mirror.lag  # read in one place: mypy takes a property for a value that stays


async def _fall_back(engine: AsyncEngine, position: EventId) -> None:
    """As if the database had lost what was written after ``position``."""
    later = EVENTS.c.seq > position.seq
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(delete(EVENTS).where(later))
        await connection.execute(update(POSITION).values(epoch=position.epoch, seq=position.seq))


@contextmanager
def _statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """Everything that is sent to the database meanwhile."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)

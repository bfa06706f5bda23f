"""Questions to the audit trail: the right events, once each, at the cost of a page."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import EventFilter, Level
from service.errors import InvalidInputError, StoreUnavailableError
from service.mirror import keyset
from service.mirror.database import DatabaseError, open_database
from service.mirror.keyset import values_of
from service.mirror.mirror import Mirror
from service.mirror.questions import Questions
from service.mirror.schema import EVENTS, POSITION, STATS
from service.mirror.trail import SKEW_MS, read_events
from service.pool.stream import Event, EventId
from tests.lua.stage import Stage
from tests.mirror.fill import AT, EVERY_MS, event, fill_events
from tests.mirror.scene import Life, stream

COUNT = 3_000
EVENTS_OF = [event(number) for number in range(COUNT)]


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    await fill_events(engine, COUNT)
    return engine


async def pages(engine: AsyncEngine, wanted: EventFilter, limit: int, **options: int) -> AsyncIterator[list[Event]]:
    following: str | None = ""
    while following is not None:
        async with engine.connect() as connection:
            page = await read_events(connection, wanted, before=following, limit=limit, **options)
        assert len(page.items) <= limit
        yield list(page.items)
        following = page.following


async def found(engine: AsyncEngine, wanted: EventFilter, limit: int = 500, **options: int) -> list[str]:
    return [str(one.id) async for page in pages(engine, wanted, limit, **options) for one in page]


def matches(row: dict[str, Any], wanted: EventFilter) -> bool:
    """What the answer has to hold, said once more and without an index."""
    return all(
        (
            wanted.instance in (None, row["instance"], row["name"]),
            wanted.server in (None, row["server"]),
            wanted.proxy in (None, row["proxy"]),
            wanted.actor in (None, row["actor"]),
            wanted.type in (None, row["type"], row["type"].partition(".")[0] + "."),
            wanted.level in (None, row["level"]),
            wanted.min_level is None or LEVELS.index(row["level"]) >= LEVELS.index(wanted.min_level),
            wanted.since is None or row["at"] >= wanted.since,
            wanted.until is None or row["at"] < wanted.until,
        )
    )


LEVELS = get_args(Level)
CHOICES: dict[str, tuple[Any, ...]] = {
    "instance": ("id-7", "shop 7", "shop 70", "nobody"),
    "server": ("s1", "none"),
    "proxy": (f"{7:020x}", f"{14:020x}"),
    "actor": ("auto", "cli:ana", "token:front", "cli:bob"),
    "type": ("lease.released", "lease.", "token.", "token.created", "pool.", "lease"),
    "level": ("info", "error", "debug"),
    "min_level": LEVELS,
    "since": (AT, AT + 100 * EVERY_MS, AT + 1_500 * EVERY_MS + 1, AT + COUNT * EVERY_MS),
    "until": (AT, AT + 900 * EVERY_MS, AT + 1_500 * EVERY_MS, AT + COUNT * EVERY_MS),
}


async def test_any_filters_in_any_pages_give_what_is_there_once_and_in_order(filled: AsyncEngine) -> None:
    draw = random.Random(7)
    hits = 0
    for _ in range(80):
        names = draw.sample(sorted(CHOICES), draw.randrange(4))
        wanted = EventFilter(**{name: draw.choice(CHOICES[name]) for name in names})
        expected = [row["id"] for row in reversed(EVENTS_OF) if matches(row, wanted)]
        options = {"limit": draw.choice((7, 100, 500)), "examined": draw.choice((50, 1_000))}
        if len(expected) > 500:
            options["limit"] = 500
        assert await found(filled, wanted, **options) == expected, wanted
        hits += bool(expected)
    assert hits > 25


async def test_a_page_looks_at_so_many_rows_and_no_more(filled: AsyncEngine) -> None:
    """The rare ones are every thousandth; none carries a server."""
    wanted = EventFilter(level="info", server="s9")
    sizes = [len(page) async for page in pages(filled, wanted, 50, examined=1_000)]
    assert sizes == [0, 0, 0]


async def test_the_borders_of_epochs_are_no_borders(engine: AsyncEngine) -> None:
    ids = [EventId(epoch, seq) for epoch in (5, 9, 30) for seq in (1, 2, 10)]
    rows = [
        event(nth) | one._asdict() | {"id": str(one), "instance": "x", "name": "x"} for nth, one in enumerate(ids, 1)
    ]
    await fill_events(engine, 1)
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(insert(EVENTS), rows)
        await connection.execute(update(POSITION).values(epoch=30, seq=10))
    expected = [row["id"] for row in reversed(rows)]
    assert await found(engine, EventFilter(), limit=2) == [*expected, "1-1"]
    assert await found(engine, EventFilter(instance="x"), limit=2) == expected


async def test_a_clock_that_differs_a_little_hides_nothing(engine: AsyncEngine) -> None:
    """Ids and times are not quite in one order: the range goes by the times."""
    await fill_events(engine, 10)
    late = [event(10 + n) | {"at": AT + SKEW_MS - 1 - n * (SKEW_MS // 10)} for n in range(10)]
    async with engine.execution_options(writes=True).begin() as connection:
        await connection.execute(insert(EVENTS), late)
        await connection.execute(update(POSITION).values(seq=20))
    middle = AT + SKEW_MS // 2
    latest = [row["id"] for row in reversed(late) if row["at"] >= middle]
    assert await found(engine, EventFilter(since=middle)) == latest
    early = [row["id"] for row in reversed(EVENTS_OF[:10] + late) if row["at"] < middle]
    assert await found(engine, EventFilter(until=middle)) == early


async def test_all_values_of_a_column_are_found(filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    for steps in (1, 2, 3, 500):
        monkeypatch.setattr(keyset, "_STEPS", steps)
        async with filled.connect() as connection:
            assert await values_of(connection, EVENTS.c.type) == sorted({row["type"] for row in EVENTS_OF})
            assert await values_of(connection, STATS.c.span) == []


async def test_pages_stay_while_events_are_added(filled: AsyncEngine) -> None:
    wanted, ids, number = EventFilter(type="lease."), [], COUNT
    async for page in pages(filled, wanted, 400):
        ids += [str(one.id) for one in page]
        async with filled.execution_options(writes=True).begin() as connection:
            await connection.execute(insert(EVENTS), [event(number)])
            await connection.execute(update(POSITION).values(seq=number + 1))
        number += 1
    assert ids == [row["id"] for row in reversed(EVENTS_OF) if row["type"].startswith("lease.")]


@pytest.mark.redis
async def test_an_event_is_what_it_was_in_redis(stage: Stage, mirror: Mirror) -> None:
    await stage.add(9)
    mirror.batch = 7
    await Life(stage, 8).happen(60)
    await mirror.catch_up()
    page = await Questions(mirror.engine).events(EventFilter(), limit=500)
    told = [
        (str(one.id), {"type": one.type, "level": one.level, "at": str(one.at), "actor": one.actor, **one.fields})
        for one in reversed(page.items)
    ]
    assert told == await stream(stage)


async def test_an_empty_database(engine: AsyncEngine) -> None:
    page = await Questions(engine).events(EventFilter(type="lease.", since=1), limit=1)
    assert (list(page.items), page.following, page.position) == ([], None, EventId(0, 0))


@pytest.mark.parametrize("cursor", ["x", "1-2", "-1", "1.0", "9" * 19, "1\n"])
async def test_a_cursor_that_was_never_given(filled: AsyncEngine, cursor: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await Questions(filled).events(EventFilter(), before=cursor, limit=1)
    assert caught.value.params == {"field": "cursor", "reason": "unknown_cursor"}


async def test_a_sql_that_is_gone_is_told() -> None:
    async with open_database("postgresql://u:geheim@127.0.0.1:1/x") as engine:
        with pytest.raises(StoreUnavailableError) as caught:
            await Questions(engine).events(EventFilter(), limit=1)
    assert caught.value.params["store"] == "sql"


async def test_tables_that_are_not_there_are_told(database_url: str) -> None:
    async with open_database(database_url) as engine:
        with pytest.raises(DatabaseError):
            await Questions(engine).events(EventFilter(), limit=1)


async def test_a_question_that_takes_too_long_is_given_up(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that wait for their turn behind such questions are too."""
    monkeypatch.setattr("service.mirror.questions._LIMIT", 0.05)

    async def slow(*_: object, **__: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr("service.mirror.questions.read_events", slow)
    questions = Questions(engine)
    asked = [questions.events(EventFilter(), limit=1) for _ in range(9)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 9

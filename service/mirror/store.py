"""What the mirror does to its tables, each in the words of three databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Insert, Table, func, select, text, update
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.errors import SettingsError
from service.mirror.database import DatabaseError, explained
from service.mirror.rows import Row
from service.mirror.schema import EVENTS, POSITION, PROXIES
from service.pool.stream import EventId

LIVE = PROXIES.c.removed_at.is_(None)
"""The proxies that the pool knows."""
_FROZEN = "60s"
"""How long a process that stands still may keep the others from the position."""


@dataclass(frozen=True, slots=True)
class Place:
    """The last event that the tables hold, and since when (ms) they are known to need a full comparison."""

    position: EventId
    compare_due_at: int | None


async def settle_in(engine: AsyncEngine, pool: str, now: int) -> None:
    """Sees to it that the tables have a place in the stream of this pool; they follow one pool only.

    Raises :class:`SettingsError` when they are another's.
    """
    with explained():
        async with engine.execution_options(writes=True).begin() as connection:
            await refuse_others(connection, pool)
            row = {"pool": pool, "epoch": 0, "seq": 0, "batches": 0, "compare_due_at": now, "compared_at": None}
            await put(connection, POSITION, [row], replace=False)


async def refuse_others(connection: AsyncConnection, pool: str) -> None:
    """Raises :class:`SettingsError` when the tables follow another pool."""
    others = await connection.scalars(select(POSITION.c.pool).where(POSITION.c.pool != pool))
    if other := others.first():
        problem = f"DATABASE_URL: this database mirrors the pool {other}; a pool needs one of its own"
        raise SettingsError(problems=[problem])


@asynccontextmanager
async def locked(engine: AsyncEngine, pool: str) -> AsyncIterator[tuple[AsyncConnection, Place]]:
    """A transaction that no other mirror's runs beside; committed at the end.

    Whoever writes rows of proxies reads the pool inside, so that what is written later was read later.
    """
    with explained():
        async with engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{_FROZEN}'"))
            mine = POSITION.c.pool == pool
            await connection.execute(update(POSITION).where(mine).values(batches=POSITION.c.batches + 1))
            found = (await connection.execute(select(POSITION).where(mine))).one_or_none()
            if found is None:
                raise DatabaseError(store="sql", reason=f"{POSITION.name} has no row of the pool {pool}")
            yield connection, Place(EventId(found.epoch, found.seq), found.compare_due_at)


async def move_to(connection: AsyncConnection, pool: str, place: Place) -> None:
    await connection.execute(
        update(POSITION)
        .where(POSITION.c.pool == pool)
        .values(epoch=place.position.epoch, seq=place.position.seq, compare_due_at=place.compare_due_at)
    )


async def put(connection: AsyncConnection, table: Table, rows: Sequence[Row], *, replace: bool) -> None:
    """Inserts ``rows``; one whose key is there already is replaced, or stays as it is."""
    if rows:
        await connection.execute(_UPSERTS[connection.dialect.name](table, replace), rows)


async def append(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Adds events in their order; one that is there already stays as it is."""
    last = await connection.scalar(select(func.max(EVENTS.c.number))) or 0
    ordered = sorted(rows, key=lambda row: (row["epoch"], row["seq"]))
    await put(connection, EVENTS, [row | {"number": last + nth} for nth, row in enumerate(ordered, 1)], replace=False)


async def proxy_pages(engine: AsyncEngine, columns: Iterable[Column[Any]], size: int) -> AsyncIterator[list[Row]]:
    """``columns``, the id among them, of every proxy that is not removed, ``size`` at a time, in the order that the
    database gives to ids; without a transaction that outlives a page."""
    cursor = ""
    while True:
        page = select(*columns).where(LIVE, PROXIES.c.id > cursor).order_by(PROXIES.c.id).limit(size)
        with explained():
            async with engine.connect() as connection:
                rows = [dict(row) for row in (await connection.execute(page)).mappings()]
        if not rows:
            return
        yield rows
        cursor = rows[-1]["id"]


async def mark_removed(connection: AsyncConnection, proxy_ids: Sequence[str], at: int, *, forget: bool) -> None:
    """The pool no longer knows them. ``forget``: somebody removed them, so their passwords go too."""
    values: dict[str, Any] = {"removed_at": at, "status": "removed", "is_used": False, "is_active": False}
    if forget:
        values |= {"password": "", "fingerprint": ""}
    if proxy_ids:
        await connection.execute(update(PROXIES).where(PROXIES.c.id.in_(proxy_ids)).values(values))


async def end_rests(connection: AsyncConnection, now: int) -> None:
    """What was cooling is free from its moment on, of which no event tells (DESIGN.md, part 1)."""
    due = (PROXIES.c.status == "cooling") & (PROXIES.c.available_at <= now)
    await connection.execute(update(PROXIES).where(due).values(status="free"))


def _on_conflict(table: Table, replace: bool, make: Callable[[Table], Any]) -> Insert:
    statement = make(table)
    if not replace:
        return statement.on_conflict_do_nothing()  # type: ignore[no-any-return]
    values = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)  # type: ignore[no-any-return]


def _on_duplicate_key(table: Table, replace: bool) -> Insert:
    statement = mysql.insert(table)
    if not replace:  # not INSERT IGNORE, which lets every other error pass too
        first = next(iter(table.primary_key))
        return statement.on_duplicate_key_update({first.name: first})
    values = {column.name: statement.inserted[column.name] for column in table.c if not column.primary_key}
    return statement.on_duplicate_key_update(values)


_UPSERTS: dict[str, Callable[[Table, bool], Insert]] = {
    "postgresql": lambda table, replace: _on_conflict(table, replace, postgresql.insert),
    "sqlite": lambda table, replace: _on_conflict(table, replace, sqlite.insert),
    "mysql": _on_duplicate_key,
}

"""Pages of a large table, newest first: each begins where the one before it ended, and looks at a bounded number of
rows however rare the wanted ones are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, and_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

EXAMINED = 5_000
"""Most rows that one page looks at."""

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The rows of ``table`` for which one of ``any_of`` holds (if there is any) and all of ``also``.

    ``key`` are one or two columns, unique together. Each of ``any_of`` is one that an index answers in the order of the
    key, and no row fulfils two of them. Keys are from ``low`` on and before ``high``.
    """

    table: Table
    key: Sequence[Column[Any]]
    any_of: Sequence[ColumnElement[bool]] = ()
    also: Sequence[ColumnElement[bool]] = ()
    low: Key | None = None
    high: Key | None = None


async def page(
    connection: AsyncConnection, search: Search, limit: int, examined: int = EXAMINED
) -> tuple[list[RowMapping], Key | None]:
    """At most ``limit`` rows, and the key before which the rest is, ``None`` if there is none.

    There may be fewer rows than ``limit``, even none, and more to come. What is added at the top moves nothing.
    """
    low, fence = search.low, None
    if search.also and (found := (await connection.execute(_last_examined(search, examined))).first()):
        low = fence = tuple(found)
    rows = list((await connection.execute(_rows(search, low, limit + 1))).mappings())
    if len(rows) > limit:
        return rows[:limit], tuple(rows[limit - 1][column.name] for column in search.key)
    return rows, fence


def _last_examined(search: Search, examined: int) -> Select[Any]:
    """The key of the last row that is looked at; none if there are fewer."""
    return _keys(search, _bounds(search, search.low), examined).offset(examined - 1).limit(1)


def _rows(search: Search, low: Key | None, number: int) -> Select[Any]:
    table, bounds = search.table, [*_bounds(search, low), *search.also]
    latest = [column.desc() for column in search.key]
    if len(search.any_of) < 2:
        return select(table).where(*search.any_of, *bounds).order_by(*latest).limit(number)
    keys = _keys(search, bounds, number).limit(number).subquery()
    same = and_(*(column == keys.c[column.name] for column in search.key))
    return select(table).join(keys, same).order_by(*latest)


def _keys(search: Search, bounds: Sequence[ColumnElement[bool]], number: int) -> Select[Any]:
    """Each branch in the order of its index and no longer than needed, so that a database need only merge them."""
    latest = [column.desc() for column in search.key]
    if len(search.any_of) < 2:
        return select(*search.key).where(*search.any_of, *bounds).order_by(*latest)
    branches = [
        select(select(*search.key).where(one, *bounds).order_by(*latest).limit(number).subquery())
        for one in search.any_of
    ]
    merged = union_all(*branches).subquery()
    return select(merged).order_by(*(column.desc() for column in merged.c))


def _bounds(search: Search, low: Key | None) -> list[ColumnElement[bool]]:
    bounds = []
    if low is not None:
        bounds.append(_beyond(search.key, low, gt, ge, ge))
    if search.high is not None:
        bounds.append(_beyond(search.key, search.high, lt, le, lt))
    return bounds


def _beyond(key: Sequence[Column[Any]], than: Key, strictly: Any, loosely: Any, last: Any) -> ColumnElement[bool]:
    """Said so that each database finds where to begin: they differ in what they make of a comparison of tuples."""
    if len(key) == 1:
        return last(key[0], than[0])  # type: ignore[no-any-return]
    (first, second), (coarse, fine) = key, than
    return loosely(first, coarse) & (strictly(first, coarse) | last(second, fine))  # type: ignore[no-any-return]

"""Large tables by their indexes: pages, each of which begins where the one before it ended and looks at a bounded
number of rows however rare the wanted ones are; and the values that a column has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import Column, ColumnElement, RowMapping, Select, Table, and_, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

EXAMINED = 5_000
"""Most rows that one page looks at."""

_STEPS = 500
"""MySQL ends a recursion after 1,000."""

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """The rows of ``table`` for which one of ``any_of`` holds (if there is any) and all of ``also``.

    ``key`` are one or two columns, unique together. Each of ``any_of`` is one that an index answers in the order of the
    key, and no row fulfils two of them. The greatest key comes first, or ``ascending`` the smallest; a page has keys
    after ``after``, to ``last`` at most. Only ``columns`` are read, if there are any.
    """

    table: Table
    key: Sequence[Column[Any]]
    any_of: Sequence[ColumnElement[bool]] = ()
    also: Sequence[ColumnElement[bool]] = ()
    after: Key | None = None
    last: Key | None = None
    ascending: bool = False
    columns: Sequence[Column[Any]] = ()


async def page(
    connection: AsyncConnection, search: Search, limit: int, examined: int = EXAMINED
) -> tuple[list[RowMapping], Key | None]:
    """At most ``limit`` rows, and the key after which the rest is, ``None`` if there is none.

    There may be fewer rows than ``limit``, even none, and more to come. What is added meanwhile moves nothing.
    """
    last, fence = search.last, None
    if search.also and (found := (await connection.execute(_last_examined(search, examined))).first()):
        last = fence = tuple(found)
    rows = list((await connection.execute(_rows(search, last, limit + 1))).mappings())
    if len(rows) > limit:
        return rows[:limit], tuple(rows[limit - 1][column.name] for column in search.key)
    return rows, fence


def _last_examined(search: Search, examined: int) -> Select[Any]:
    """The key of the last row that is looked at; none if there are fewer."""
    return _keys(search, _bounds(search, search.last), examined).offset(examined - 1).limit(1)


def _rows(search: Search, last: Key | None, number: int) -> Select[Any]:
    table, bounds = search.table, [*_bounds(search, last), *search.also]
    order = _order(search, search.key)
    if len(search.any_of) < 2:
        return select(*search.columns or table.columns).where(*search.any_of, *bounds).order_by(*order).limit(number)
    keys = _keys(search, bounds, number).limit(number).subquery()
    same = and_(*(column == keys.c[column.name] for column in search.key))
    return select(table).join(keys, same).order_by(*order)


def _keys(search: Search, bounds: Sequence[ColumnElement[bool]], number: int) -> Select[Any]:
    """Each branch in the order of its index and no longer than needed, so that a database need only merge them."""
    order = _order(search, search.key)
    if len(search.any_of) < 2:
        return select(*search.key).where(*search.any_of, *bounds).order_by(*order)
    branches = [
        select(select(*search.key).where(one, *bounds).order_by(*order).limit(number).subquery())
        for one in search.any_of
    ]
    merged = union_all(*branches).subquery()
    return select(merged).order_by(*_order(search, merged.c))


def _order(search: Search, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    return [column.asc() if search.ascending else column.desc() for column in columns]


def _bounds(search: Search, last: Key | None) -> list[ColumnElement[bool]]:
    up, down = (gt, ge), (lt, le)
    (onward, or_at), (back, or_last) = (up, down) if search.ascending else (down, up)
    bounds = []
    if search.after is not None:
        bounds.append(_beyond(search.key, search.after, onward, or_at, onward))
    if last is not None:
        bounds.append(_beyond(search.key, last, back, or_last, or_last))
    return bounds


def _beyond(key: Sequence[Column[Any]], than: Key, strictly: Any, loosely: Any, last: Any) -> ColumnElement[bool]:
    """Said so that each database finds where to begin: they differ in what they make of a comparison of tuples."""
    if len(key) == 1:
        return last(key[0], than[0])  # type: ignore[no-any-return]
    (first, second), (coarse, fine) = key, than
    return loosely(first, coarse) & (strictly(first, coarse) | last(second, fine))  # type: ignore[no-any-return]


async def values_of(connection: AsyncConnection, column: Column[Any]) -> list[Any]:
    """The different values of ``column``, ascending, found from each to the next by its index: costs their number, not
    that of the rows."""
    values: list[Any] = []
    while True:
        after = [column > values[-1]] if values else []
        first = select(func.min(column).label("value"), literal(1).label("nth")).where(*after)
        known = first.cte("known", recursive=True)
        following = select(func.min(column)).where(column > known.c.value).scalar_subquery()
        more = (known.c.value.is_not(None), known.c.nth < _STEPS)
        known = known.union_all(select(following, known.c.nth + 1).where(*more))
        found = select(known.c.value).where(known.c.value.is_not(None)).order_by(known.c.nth)
        values += (some := list(await connection.scalars(found)))
        if len(some) < _STEPS:
            return values

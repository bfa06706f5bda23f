"""Finding proxies and putting them in order, which Redis has no indexes for. What is found may be a moment old: its
reader takes the ids to the pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement, and_, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit import ProxyIds, ProxySearch, ProxySort
from service.errors import InvalidInputError
from service.mirror.keyset import Key, Search, page
from service.mirror.schema import PROXIES, Moment
from service.mirror.store import LIVE
from service.mirror.trail import position_of

FEW = 2_000
"""Fewer matches are found first and put in order then; of more, the next ones in the order are soon met."""
EXAMINED = 10_000
"""Most rows that one page looks at then."""

_C = PROXIES.c
_SORTED_BY: Mapping[str, Column[Any]] = {
    "host": _C.host,
    "status": _C.status,
    "group": _C.group_name,
    "instance": _C.assigned_instance_name,
    "updatedAt": _C.updated_at,
    "expiresAt": _C.expires_at,
    "createdAt": _C.created_at,
}
_LABELLED: Mapping[str, Callable[[str], ColumnElement[bool]]] = {
    "postgresql": lambda label: cast(_C.labels, JSONB).has_key(label),
    "sqlite": lambda label: _among(label, func.json_each(_C.labels).table_valued("value")),
    "mysql": lambda label: func.json_contains(_C.labels, func.json_quote(label)) == 1,
}
"""Has the label, in the words of three databases."""


async def search_proxies(connection: AsyncConnection, wanted: ProxySearch, *, after: str, limit: int) -> ProxyIds:
    """``after``: ``following`` of the page before, or ``""``. Raises :class:`InvalidInputError` for any other.

    A page without filters costs the same at any depth and size.
    """
    position = await position_of(connection)
    filters = conditions(wanted, connection.dialect.name)
    few = await _few(connection, filters) if filters else None
    among: list[ColumnElement[bool]] = [LIVE]
    also: list[ColumnElement[bool]] = []
    if few is not None:
        among = [_C.id.in_(few)]
    elif filters:
        among, also = [], [_one_by_one(LIVE, *filters)]
    ids, following = await _in_order(connection, wanted.sort, (among, also), after, limit)
    total = None if few is None else len(few)
    return ProxyIds(ids, orjson.dumps(following).decode() if following else None, total, position)


async def _in_order(
    connection: AsyncConnection,
    sort: ProxySort,
    where: tuple[Sequence[ColumnElement[bool]], Sequence[ColumnElement[bool]]],
    after: str,
    limit: int,
) -> tuple[list[str], Key | None]:
    """A page of ids: those with a value by it, then those without. Also the place of its last row, if more is left."""
    column, ascending = _SORTED_BY[sort.removeprefix("-")], not sort.startswith("-")
    among, also = where
    begin = _parsed(after, column) if after else None
    ids: list[str] = []
    if begin is None or begin[0] is not None:
        valued = [column.is_not(None), *among] if column.nullable else among
        key, any_of = (column, _C.id), [and_(*valued)] if valued else []
        by_value = Search(PROXIES, key, any_of, also, after=begin, ascending=ascending, columns=key)
        rows, following = await page(connection, by_value, limit, EXAMINED)
        ids, begin = [row["id"] for row in rows], None
        if following is not None or not column.nullable:
            return ids, following
    after_id = (begin[1],) if begin and begin[1] else None
    ids_only, any_of = (_C.id,), [and_(column.is_(None), *among)]
    without = Search(PROXIES, ids_only, any_of, also, after=after_id, ascending=ascending, columns=ids_only)
    rows, end = await page(connection, without, max(1, limit - len(ids)), EXAMINED)
    if len(ids) == limit:
        return ids, (None, "") if rows or end else None
    return ids + [row["id"] for row in rows], (None, *end) if end else None


async def _few(connection: AsyncConnection, filters: Sequence[ColumnElement[bool]]) -> Sequence[str] | None:
    """All that there are, or ``None`` for more than :data:`FEW`."""
    found = (await connection.scalars(select(_C.id).where(LIVE, *filters).limit(FEW + 1))).all()
    return found if len(found) <= FEW else None


def conditions(wanted: ProxySearch, dialect: str) -> list[ColumnElement[bool]]:
    """What the proxies are looked at for, one by one."""
    equal = {
        _C.status: wanted.status,
        _C.protocol: wanted.protocol,
        _C.group_name: wanted.group,
        _C.server: wanted.server,
        _C.is_active: wanted.active,
    }
    filters: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    if wanted.label is not None:
        filters.append(_LABELLED[dialect](wanted.label))
    if wanted.expires_before is not None:
        filters.append(_C.expires_at < wanted.expires_before)
    if wanted.q:
        filters.append(_C.search_text.contains(wanted.q.casefold(), autoescape=True))
    return filters


def _one_by_one(*filters: ColumnElement[bool]) -> ColumnElement[bool]:
    """All of them, in words for which no database takes another index than that of the order: it would find and sort
    tens of thousands of rows for one page."""
    return and_(*filters).is_(True)


def _among(label: str, values: Any) -> ColumnElement[bool]:
    return select(1).select_from(values).where(values.c.value == label).exists()


def _parsed(text: str, column: Column[Any]) -> Key:
    """The value and the id of the last row of a page; the value is ``None`` among the rows that have none."""
    try:
        place = orjson.loads(text)
    except orjson.JSONDecodeError:
        place = None
    match place:
        case [value, str(proxy_id)] if "\0" not in proxy_id and _may_be(value, column):
            return value, proxy_id
    raise InvalidInputError(field="cursor", reason="unknown_cursor")


def _may_be(value: object, column: Column[Any]) -> bool:
    if value is None:
        return bool(column.nullable)
    if isinstance(column.type, Moment):
        return type(value) is int and value >= 0
    return isinstance(value, str) and "\0" not in value

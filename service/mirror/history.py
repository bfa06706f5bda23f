"""The figures of the pool over time, as points of even distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, RowMapping, cast, extract, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit import History
from service.mirror.keyset import values_of
from service.mirror.schema import STATS

MOST_POINTS = 500

_SECONDS: Mapping[str, Callable[[ColumnElement[int]], ColumnElement[int]]] = {
    "postgresql": lambda at: cast(func.floor(extract("epoch", at)), BigInteger),
    "sqlite": lambda at: extract("epoch", at),
    "mysql": lambda at: func.timestampdiff(literal_column("SECOND"), literal_column("'1970-01-01'"), at),
}
"""Seconds since 1970, in the words of three databases."""


async def read_history(connection: AsyncConnection, since: int, until: int, step: int) -> History:
    """One point for each ``step`` seconds between two moments (ms) in which there was a snapshot: the last.

    ``step`` is raised as far as it takes for :data:`MOST_POINTS` at most; points lie on its multiples since 1970.
    """
    step = max(step, 1, ceil((until - since) / 1000 / (MOST_POINTS - 1)))
    seconds = _SECONDS[connection.dialect.name](STATS.c.at)
    points: dict[int, RowMapping] = {}
    for span in await values_of(connection, STATS.c.span):
        within = (STATS.c.span == span) & (STATS.c.at >= since) & (STATS.c.at < until)
        lasts = select(func.max(STATS.c.at)).where(within).group_by(seconds - seconds % step)
        if not (ats := list(await connection.scalars(lasts))):
            continue
        for row in (await connection.execute(select(STATS).where(within, STATS.c.at.in_(ats)))).mappings():
            slot = row["at"] // (1000 * step)
            if slot not in points or points[slot]["at"] < row["at"]:
                points[slot] = row
    return History(step, [_point(row) for _, row in sorted(points.items())])


def _point(row: RowMapping) -> dict[str, Any]:
    data: dict[str, Any] = row["data"]
    return {name: value for name, value in row.items() if name not in ("span", "data")} | data

"""The figures of the pool over time: one row an interval, and fewer as they grow old.

A row stands for ``span`` seconds from ``at`` on. An old one is the last of those that it replaces, whole, so that its
numbers still add up; only ``utilization`` and ``mirror_lag`` are their means.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.background import Loop
from service.mirror.database import explained
from service.mirror.keyset import values_of
from service.mirror.mirror import Mirror
from service.mirror.rows import Row
from service.mirror.schema import STATS
from service.mirror.store import put
from service.pool.stats import Stats

_HOUR, _DAY = 3_600, 86_400
_COARSER = ((_HOUR, 7 * _DAY), (_DAY, 90 * _DAY))
"""Seconds that a row stands for, of what is older than so many seconds."""
_AT_ONCE = 24
"""Rows of each kind that one run makes of older ones."""
_MEANS = ("utilization", "mirror_lag")


class Snapshots:
    """Writes a row every ``interval`` seconds, at least 1; several replicas write one row together."""

    def __init__(self, mirror: Mirror, interval: float) -> None:
        self.loop = Loop("snapshots", max(1.0, interval), self.take)
        self._mirror = mirror
        self._span = max(1, round(interval))

    async def take(self) -> None:
        """The row of now, unless it is there; and a bounded number of old ones are put together.

        Raises what :meth:`Mirror.step` raises.
        """
        engine, pool = self._mirror.engine, self._mirror.pool
        stats = await pool.stats()
        now = pool.clock.now()
        async with self._mirror.prepared():
            with explained():
                async with engine.execution_options(writes=True).begin() as connection:
                    await put(connection, STATS, [stats_row(stats, self._span, now, self._mirror.lag)], replace=False)
                for span, age in _COARSER:
                    for _ in range(_AT_ONCE):
                        async with engine.execution_options(writes=True).begin() as connection:
                            if not await _coarsen(connection, span, now - 1000 * age):
                                break


def stats_row(stats: Stats, span: int, now: int, lag: float | None) -> Row:
    """The row of the slot that ``now`` (ms) is in."""
    return {
        "span": span,
        "at": now - now % (1000 * span),
        **stats.counts.figures(),
        "reserved": stats.reserved,
        "releasing": stats.releasing,
        "stuck": stats.stuck,
        "external": stats.external,
        "unprotected": stats.unprotected,
        "not_applied": stats.unapplied,
        "reservations": stats.reservations,
        "instances": stats.instances,
        "events": stats.events,
        "mirror_lag": lag,
        "data": {
            "paused": stats.paused,
            "spent": stats.spent,
            "states": stats.states,
            "groups": {name: counts.figures() for name, counts in stats.groups.items()},
            "servers": {
                name: {"leases": one.leases, "unprotected": one.unprotected, "states": one.states}
                for name, one in stats.servers.items()
            },
        },
    }


def coarse_row(rows: Sequence[Row], span: int) -> Row:
    """What stands for ``rows``, which are of one ``span`` and in the order of time."""
    last = rows[-1]
    means = {name: [row[name] for row in rows if row[name] is not None] for name in _MEANS}
    row = {name: round(fmean(values), 1) if values else None for name, values in means.items()}
    return {**last, **row, "span": span, "at": last["at"] - last["at"] % (1000 * span)}


async def _coarsen(connection: AsyncConnection, span: int, before: int) -> bool:
    """Makes one row of the oldest finer ones, if its ``span`` ends ``before`` (ms); whether there were any."""
    finer = [one for one in await values_of(connection, STATS.c.span) if one < span]
    found_at = [await connection.scalar(select(func.min(STATS.c.at)).where(STATS.c.span == one)) for one in finer]
    oldest = [at for at in found_at if at is not None]  # another replica may put the same rows together meanwhile
    if not oldest:
        return False
    begin = min(oldest) - min(oldest) % (1000 * span)
    end = begin + 1000 * span
    if end > before:
        return False
    within = STATS.c.span.in_(finer) & (STATS.c.at >= begin) & (STATS.c.at < end)
    found = await connection.execute(select(STATS).where(within).order_by(STATS.c.at))
    rows = [dict(row) for row in found.mappings()]
    if rows:
        await put(connection, STATS, [coarse_row(rows, span)], replace=False)
        await connection.execute(delete(STATS).where(within))
    return True

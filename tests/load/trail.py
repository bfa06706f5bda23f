"""The stream's whole history, followed from outside, and SQL held against it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from service.mirror.schema import EVENTS
from service.pool.pool import Pool
from service.pool.stream import START, EventId
from tests.mirror.scene import assert_table_equals_pool, told

_PAGE = 2_000


class Trail:
    """Of each event a hash, so that any length fits into memory.

    :meth:`follow` has to be called before ten thousand more events are mirrored than it has seen: what is mirrored gets
    trimmed.
    """

    def __init__(self, pool: Pool, engine: AsyncEngine) -> None:
        self._pool = pool
        self._engine = engine
        self._history: list[int] = []
        self._last = START
        self._compared = 0
        self._number = 0

    def __len__(self) -> int:
        return len(self._history)

    @property
    def left(self) -> int:
        """How many events SQL did not hold yet."""
        return len(self._history) - self._compared

    async def follow(self) -> None:
        """Reads what was written since. Fails if some of it is gone."""
        stream = self._pool.keys.named("events")
        while page := await self._pool.redis.xrange(stream, min=f"({self._last}", count=_PAGE):
            entries: Any = page
            for name, fields in entries:
                event = EventId.parse(name)
                following = event.seq == (self._last.seq if event.epoch == self._last.epoch else 0) + 1
                assert following, f"{self._last} is followed by {event}"
                self._history.append(_digest(name, fields))
                self._last = event

    async def compare(self) -> list[str]:
        """Follows, and holds the rows that SQL has since the last comparison against the history; says in words why
        they are not a beginning of it, each event once and in its order."""
        await self.follow()
        rows = select(EVENTS).order_by(EVENTS.c.number).limit(_PAGE)
        async with self._engine.connect() as connection:
            while True:
                page = (await connection.execute(rows.where(EVENTS.c.number > self._number))).mappings().all()
                for row in page:
                    if self._compared == len(self._history):
                        return [f"{row['id']} is in SQL beyond the history's end"]
                    if _digest(*told(dict(row))) != self._history[self._compared]:
                        return [f"{row['id']} is not what the history has as its {self._compared + 1}th"]
                    self._compared, self._number = self._compared + 1, row["number"]
                if not page:
                    return []

    async def compare_all(self) -> list[str]:
        """All of SQL against all of the history, and the table against the pool; says in words what differs."""
        self._compared = self._number = 0
        broken = await self.compare()
        if self.left:
            broken.append(f"SQL misses {self.left} of {len(self)} events")
        try:
            await assert_table_equals_pool(self._engine, self._pool)
        except (AssertionError, KeyError) as error:
            broken.append(f"the table is not as the pool: {error}")
        return broken


def _digest(name: str, fields: dict[str, str]) -> int:
    return hash((name, tuple(sorted(fields.items()))))

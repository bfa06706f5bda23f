"""The full comparison: every proxy of the pool with its row, a page at a time."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.audit import Comparison
from service.background import Loop
from service.errors import EvoproxyError, RefusedError
from service.mirror.database import explained
from service.mirror.mending import mend_ledger
from service.mirror.mirror import Mirror, rows_of
from service.mirror.rows import Row
from service.mirror.schema import POSITION, PROXIES
from service.mirror.store import LIVE, end_rests, locked, mark_removed, proxy_pages, put

logger = logging.getLogger(__name__)

PAGE = 200
_LOOK = 60.0
_LONGEST = 3_600.0
_UNSAID = frozenset(("updated_at", "state", "password", "fingerprint", "search_text"))
"""What changes without an event, as by a new encryption key or a new release: corrected, but no difference."""


class EmptiedError(EvoproxyError):
    """The pool holds less than half of the table's proxies: Redis was emptied, and the table is what a restore needs.

    Params: ``pool`` and ``table``, the numbers of proxies.
    """

    code = "pool_emptied"


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A proxy of which pool and table do not say the same: ``row`` as the pool has it, ``listed`` as the table has."""

    id: str
    row: Row | None
    listed: Row | None

    def count(self, result: Comparison) -> None:
        if self.row is None:
            result.surplus += 1
        elif self.listed is None:
            result.absent += 1
        elif any(self.row[name] != self.listed[name] for name in self.row.keys() - _UNSAID):
            result.differing += 1


class Comparer:
    """Compares when it is due: every ``interval`` seconds, and after events or writes of Redis were lost.

    A difference counts only while the mirror has nothing left to read of that proxy. ``last`` is the last complete
    comparison of this process, ``differences`` the sum over all of them.
    """

    def __init__(self, mirror: Mirror, *, interval: float = 21_600, page: int = PAGE) -> None:
        self.last: Comparison | None = None
        self.differences = 0
        self.loop = Loop("compare", _LOOK, self.compare_if_due, limit=_LONGEST)
        self._mirror = mirror
        self._pool = mirror.pool
        self._interval_ms = round(interval * 1000)
        self._page = page

    async def compare_if_due(self) -> Comparison | None:
        """Raises as :meth:`compare`."""
        await self._mirror.catch_up()
        with explained():
            async with self._mirror.engine.connect() as connection:
                place = (await connection.execute(select(POSITION))).one()
        rested = self._pool.clock.now() - (place.compared_at or 0)
        if place.compare_due_at is None and rested < self._interval_ms:
            return None
        return await self.compare()

    async def compare(self, *, repair: bool = True) -> Comparison:
        """Every proxy and every row; ``repair`` corrects the rows that are wrong.

        Raises what :meth:`Mirror.step` raises, and :class:`EmptiedError`. Refused: restoring.
        """
        begun, result = self._pool.clock.now(), Comparison()
        await self._mirror.catch_up()
        await self._refuse_emptied()
        async for ids in self._known():
            result.compared += len(ids)
            await self._compare(ids, result, repair)
        async for listed in proxy_pages(self._mirror.engine, [PROXIES.c.id], self._page):
            await self._compare(await self._pool.unknown([row["id"] for row in listed]), result, repair)
        if repair:
            await mend_ledger(self._mirror)
            await self._note(begun)
        self.last = result
        self.differences += result.differences
        level = logging.WARNING if result.differences else logging.INFO
        repaired = result.differences if repair else 0
        found = {"proxies": result.compared, "differences": result.differences, "repaired": repaired}
        logger.log(level, "pool and table were compared", extra=found)
        return result

    async def _refuse_emptied(self) -> None:
        if await self._pool.restoring():
            raise RefusedError("restoring")
        known = await self._pool.size()
        with explained():
            async with self._mirror.engine.connect() as connection:
                listed = await connection.scalar(select(func.count()).select_from(PROXIES).where(LIVE)) or 0
        if known < listed / 2:
            raise EmptiedError(pool=known, table=listed)

    async def _known(self) -> AsyncIterator[list[str]]:
        """Pages of what the pool knows."""
        cursor = ""
        while ids := await self._pool.page_ids(cursor, self._page):
            yield ids
            cursor = ids[-1]

    async def _compare(self, ids: Sequence[str], result: Comparison, repair: bool) -> None:
        """Looks without the lock first: most pages are as they should be, and the others hold few suspects."""
        with explained():
            async with self._mirror.engine.connect() as connection:
                suspects = await self._suspects(connection, ids)
        while suspects and not await self._confirm([one.id for one in suspects], result, repair):
            await self._mirror.catch_up()

    async def _suspects(self, connection: AsyncConnection, ids: Sequence[str]) -> list[_Suspect]:
        if not ids:
            return []
        now = self._pool.clock.now()
        rows = {row["id"]: row for row in rows_of(await self._pool.snapshots(ids), now)}
        found = await connection.execute(select(PROXIES).where(PROXIES.c.id.in_(ids), LIVE))
        listed = {row["id"]: dict(row) for row in found.mappings()}
        return [_Suspect(one, rows.get(one), listed.get(one)) for one in ids if rows.get(one) != listed.get(one)]

    async def _confirm(self, ids: Sequence[str], result: Comparison, repair: bool) -> bool:
        """Under the lock, and leaving out what unread events tell of; ``False``: there are too many of those."""
        async with locked(self._mirror.engine, self._pool.name) as (connection, place):
            now = self._pool.clock.now()
            await end_rests(connection, now)
            suspects = await self._suspects(connection, ids)
            reading = await self._pool.read_events(place.position, self._mirror.batch)
            unread = reading.events
            if reading.restoring:  # begun meanwhile: what is not there yet was not removed
                raise RefusedError("restoring")
            if len(unread) == self._mirror.batch:
                return False
            told = {proxy_id for event in unread for proxy_id in event.proxies}
            wrong = [one for one in suspects if one.id not in told]
            if repair:
                await put(connection, PROXIES, [one.row for one in wrong if one.row], replace=True)
                await mark_removed(connection, [one.id for one in wrong if not one.row], now, forget=False)
        for one in wrong:
            one.count(result)
        return True

    async def _note(self, begun: int) -> None:
        """Done, unless something was lost meanwhile."""
        async with locked(self._mirror.engine, self._pool.name) as (connection, place):
            due_at = place.compare_due_at
            still_due = due_at if due_at is not None and due_at > begun else None
            await connection.execute(update(POSITION).values(compared_at=begun, compare_due_at=still_due))

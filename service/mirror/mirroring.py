"""All that follows the pool into SQL, as one part of the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from service.audit import Comparison
from service.background import Loop
from service.errors import StoreUnavailableError
from service.mirror.compare import Comparer
from service.mirror.mirror import Mirror
from service.mirror.snapshots import Snapshots
from service.pool.pool import Pool

logger = logging.getLogger(__name__)


class Mirroring:
    """The mirror, the comparison and the snapshots of one pool. That SQL is away stops nothing else: it is shown, and
    caught up with."""

    def __init__(self, pool: Pool, engine: AsyncEngine, *, snapshot_interval: float) -> None:
        self._pool = pool
        self._mirror = Mirror(pool, engine)
        self._comparer = Comparer(self._mirror)
        self._snapshots = Snapshots(self._mirror, snapshot_interval)
        self._by_hand = asyncio.Lock()

    @property
    def loops(self) -> Sequence[Loop]:
        return (self._mirror.loop, self._comparer.loop, self._snapshots.loop)

    @property
    def lag(self) -> float | None:
        """As :attr:`service.mirror.mirror.Mirror.lag`."""
        return self._mirror.lag

    @property
    def events(self) -> Mapping[str, int]:
        """As :attr:`service.mirror.mirror.Mirror.events`."""
        return self._mirror.events

    @property
    def gaps(self) -> int:
        """How many gaps in the audit trail this process has reported."""
        return self._mirror.lost

    async def start(self) -> None:
        """Raises :class:`service.errors.SettingsError` when the database is unfit, or holds the tables of another
        pool."""
        try:
            await self._mirror.prepare()
        except StoreUnavailableError as error:
            logger.warning("SQL is out of reach; the mirror catches up later", extra={"reason": error.params["reason"]})
        for loop in self.loops:
            loop.start()

    async def stop(self, deadline: float) -> None:
        """What is being written may finish within ``deadline`` seconds; the rest is for the next start."""
        await asyncio.gather(*(loop.stop(deadline) for loop in self.loops))

    async def snapshot(self, *, actor: str) -> Comparison:
        """Compares the whole pool with its table, repairs that, and writes the row of now; one at a time, each an
        event.

        Raises what :meth:`Comparer.compare` raises.
        """
        async with self._by_hand:
            await self._pool.note_snapshot(actor=actor)
            compared = await self._comparer.compare()
            await self._snapshots.take()
            return compared

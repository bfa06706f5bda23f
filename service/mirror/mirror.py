"""The mirror: follows the pool's audit trail into SQL, every event exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.background import Loop
from service.errors import RefusedError
from service.mirror.database import DatabaseError, explained
from service.mirror.gaps import gap
from service.mirror.ledger import follow_leases
from service.mirror.migrate import migrate
from service.mirror.rows import Row, event_row, lost_row, proxy_row
from service.mirror.schema import PROXIES
from service.mirror.store import Place, append, end_rests, locked, mark_removed, move_to, put, settle_in
from service.pool.pool import Pool
from service.pool.records import Snapshot
from service.pool.stream import Event, EventId, Reading

logger = logging.getLogger(__name__)

BATCH = 500
_INTERVAL = 1.0
_STEP_LIMIT = 60.0
_A_RUN = 20
"""Batches that the loop takes at a time, so that a long backlog does not look like a loop that hangs."""
_IDLE = 10_000
"""Ms after which even an idle mirror looks at SQL: it has to be seen when it is gone, and rests end."""
_KEEP = 10_000
"""Events that stay in Redis behind the position, for a SQL that falls back a little (a replica promoted, a backup)."""
_UNTOLD = frozenset(("pool.created", "pool.rewound", "pool.restored", "key.rotated"))
"""After these events, proxies may be other than their own events say."""


class Mirror:
    """Reads the stream in batches and writes events, the rows of the proxies that they name, and the position in one
    transaction; then lets Redis trim. So an event is in SQL exactly once wherever this is killed, and however many
    replicas run it.

    A row tells what its proxy was when the batch was read, which may be later than the event. ``lost`` counts the
    gaps that this process reported, ``events`` by type the events that it wrote.
    """

    def __init__(self, pool: Pool, engine: AsyncEngine, *, batch: int = BATCH) -> None:
        self.pool = pool
        self.engine = engine
        self.batch = batch
        self.lost = 0
        self.events: Counter[str] = Counter()
        self.loop = Loop("mirror", _INTERVAL, self._follow, limit=_STEP_LIMIT)
        self._ready = False
        self._position: EventId | None = None
        self._waiting_since: int | None = None
        self._looked_at = 0

    @property
    def lag(self) -> float | None:
        """Seconds since the oldest event that is not in SQL; 0 when all are, ``None`` before that is known."""
        if self._waiting_since is not None:
            return max(0.0, (self.pool.clock.now() - self._waiting_since) / 1000)
        return None if self._position is None else 0.0

    async def _follow(self) -> None:
        for _ in range(_A_RUN):
            if await self.step() < self.batch:
                return

    async def catch_up(self) -> None:
        """Steps until nothing is left. Raises as :meth:`step`."""
        while await self.step() == self.batch:
            pass

    async def step(self) -> int:
        """One batch; answers how many events it wrote. Without events it asks SQL for nothing, but now and then.

        Raises :class:`StoreUnavailableError` when Redis or SQL is out of reach, :class:`DatabaseError` when SQL
        refuses, and :class:`SettingsError` when the database is unfit (see :func:`service.mirror.migrate.migrate`).
        """
        with explained():
            async with asyncio.timeout(_STEP_LIMIT):
                return await self._step()

    async def _step(self) -> int:
        position = self._position or await self.pool.mirrored_to()
        self._waiting_since = await self.pool.waiting_since(position)
        if self._waiting_since is None and self._position and self.pool.clock.now() - self._looked_at < _IDLE:
            return 0
        async with self.prepared(), locked(self.engine, self.pool.name) as (connection, place):
            reading = await self.pool.read_events(place.position, self.batch)
            if reading.last < place.position:
                reading = await self._rewound(place.position, reading)
            lost = gap(place.position, reading)
            position = await self._write(connection, place, reading, lost)
        if lost:
            self.lost += 1
            logger.error("audit events were lost", extra={"first": str(lost[0]), "last": str(lost[1])})
        self.events.update(event.type for event in reading.events)
        self._looked_at = self.pool.clock.now()
        self._position = position
        self._waiting_since = None if len(reading.events) < self.batch else reading.events[-1].at
        if position != reading.mirrored or reading.lost:
            await self._trim(position)
        return len(reading.events)

    async def prepare(self) -> None:
        """Makes the tables, and a place in them for this pool; asks SQL for nothing once that is done. Raises as
        :meth:`step`."""
        if not self._ready:
            await migrate(self.engine)
            await settle_in(self.engine, self.pool.name, self.pool.clock.now())
            self._ready = True

    @asynccontextmanager
    async def prepared(self) -> AsyncIterator[None]:
        """Inside, the tables are there. After a :class:`DatabaseError` they are looked at again the next time."""
        await self.prepare()
        try:
            yield
        except DatabaseError:
            self._ready = False
            raise

    async def _rewound(self, position: EventId, reading: Reading) -> Reading:
        """Redis has lost what SQL holds: a new epoch, so that no event id is used twice."""
        epoch = await self.pool.renew_epoch(reading.life, behind=True)
        logger.error("the pool is behind the mirror: Redis lost writes", extra={"position": str(position)})
        if int(epoch) <= position.epoch:
            raise DatabaseError(store="sql", reason=f"the clock of Redis is behind the last mirrored event {position}")
        return await self.pool.read_events(position, self.batch)

    async def _write(
        self, connection: AsyncConnection, place: Place, reading: Reading, lost: tuple[EventId, EventId] | None
    ) -> EventId:
        """Answers the new position."""
        events, now = reading.events, self.pool.clock.now()
        rows = [event_row(event) for event in events]
        if lost:
            rows.append(lost_row(*lost, events[0].at if events else now))
        position = max((EventId(row["epoch"], row["seq"]) for row in rows), default=place.position)
        if rows:
            await append(connection, rows)
            await follow_leases(connection, rows)
            await self._write_proxies(connection, events, now)
            compare = lost or any(event.type in _UNTOLD for event in events)
            await move_to(connection, self.pool.name, Place(position, now if compare else place.compare_due_at))
        await end_rests(connection, now)
        return position

    async def _write_proxies(self, connection: AsyncConnection, events: Sequence[Event], now: int) -> None:
        touched = list(dict.fromkeys(proxy_id for event in events for proxy_id in event.proxies))
        removed = {event.fields["proxy"] for event in events if event.type == "proxy.removed"}
        snapshots = await self.pool.snapshots(touched)
        await put(connection, PROXIES, rows_of(snapshots, now), replace=True)
        gone = [one.id for one in snapshots if not one.proxy and one.id in removed]
        await mark_removed(connection, gone, now, forget=True)

    async def _trim(self, position: EventId) -> None:
        try:
            await self.pool.mirrored(position, keep=_KEEP)
        except RefusedError:  # Redis lost writes since the batch was read: the next step finds that out
            logger.warning("the stream was not trimmed", extra={"position": str(position)})


def rows_of(snapshots: Iterable[Snapshot], now: int) -> list[Row]:
    """The rows of the proxies that the pool knows. A record that no script wrote is told and left out."""
    rows = []
    for snapshot in snapshots:
        if not snapshot.proxy:
            continue
        try:
            rows.append(proxy_row(snapshot, now))
        except (KeyError, ValueError):
            logger.error("a proxy's record is damaged; see evoproxy check", extra={"proxy": snapshot.id})
    return rows

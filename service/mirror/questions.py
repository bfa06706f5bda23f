"""What people ask of SQL. Nothing here writes, and nothing here keeps the mirror waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from service.audit import EventFilter, Events, History, Ledger, LedgerFilter, ProxyIds, ProxySearch
from service.mirror.database import explained
from service.mirror.history import read_history
from service.mirror.search import search_proxies
from service.mirror.tenancies import read_ledger
from service.mirror.trail import read_events

_AT_ONCE = 4
"""Connections that questions may hold: the others are the mirror's."""
_LIMIT = 10.0
"""Seconds for an answer, waiting included."""


class Questions:
    """Each raises :class:`StoreUnavailableError` when SQL is out of reach or takes too long, and
    :class:`DatabaseError` when it refuses."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def events(self, wanted: EventFilter, *, before: str = "", limit: int) -> Events:
        """See :func:`service.mirror.trail.read_events`."""
        async with self._connection() as connection:
            return await read_events(connection, wanted, before=before, limit=limit)

    async def ledger(self, wanted: LedgerFilter, *, before: str = "", limit: int) -> Ledger:
        """See :func:`service.mirror.tenancies.read_ledger`."""
        async with self._connection() as connection:
            return await read_ledger(connection, wanted, before=before, limit=limit)

    async def history(self, since: int, until: int, step: int) -> History:
        """See :func:`service.mirror.history.read_history`."""
        async with self._connection() as connection:
            return await read_history(connection, since, until, step)

    async def search(self, wanted: ProxySearch, *, after: str = "", limit: int) -> ProxyIds:
        """See :func:`service.mirror.search.search_proxies`."""
        async with self._connection() as connection:
            return await search_proxies(connection, wanted, after=after, limit=limit)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with explained():
            async with asyncio.timeout(_LIMIT), self._turns, self._engine.connect() as connection:
                yield connection

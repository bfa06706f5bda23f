"""Live figures: one poller for all who listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from service.errors import StoreUnavailableError

QUIET = 25.0
"""Seconds after which figures that did not change are told again; listeners are promised 30."""


class Broadcast:
    """Asks ``read`` at most each ``interval`` seconds, only while somebody listens, and tells everybody what changed.

    A slow listener misses what was overtaken, never the latest.
    """

    def __init__(
        self, read: Callable[[], Awaitable[tuple[bytes, bytes]]], *, interval: float = 0.5, quiet: float = QUIET
    ) -> None:
        """``read`` answers the figures without what changes by itself, to be compared, and the figures to tell."""
        self._read = read
        self._interval = interval
        self._quiet = quiet
        self._listeners = 0
        self._news = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._version = 0
        self._latest: bytes | None = None
        self._closed = False

    async def run(self) -> None:
        """The poller; ends when it is cancelled."""
        loop = asyncio.get_running_loop()
        told_at = 0.0
        told: bytes | None = b""
        essence: bytes | None
        latest: bytes | None
        while True:
            await self._wanted.wait()
            try:
                essence, latest = await self._read()
            except StoreUnavailableError:
                essence = latest = None
            if essence != told or self._version == 0 or loop.time() - told_at >= self._quiet:
                told_at, told = loop.time(), essence
                await self._tell(latest)
            await asyncio.sleep(self._interval)

    async def listen(self) -> AsyncIterator[bytes | None]:
        """The figures now, and again whenever they are told; ``None`` while the pool can't be reached. Ends with
        :meth:`close`."""
        self._listeners += 1
        seen = 0
        if self._listeners == 1:
            self._version = 0
        self._wanted.set()
        try:
            while True:
                async with self._news:
                    while not self._closed and self._version <= seen:
                        await self._news.wait()
                    if self._closed:
                        return
                    seen, latest = self._version, self._latest
                yield latest
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._wanted.clear()

    async def close(self) -> None:
        """Ends every listening, so that no stream holds up a stop."""
        self._closed = True
        async with self._news:
            self._news.notify_all()

    async def _tell(self, latest: bytes | None) -> None:
        async with self._news:
            self._latest = latest
            self._version += 1
            self._news.notify_all()


BROADCAST: web.AppKey[Broadcast] = web.AppKey("broadcast", Broadcast)

"""Live figures: one poller for all who listen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import get_args

from aiohttp import web

from service.background import Loop
from service.errors import StoreUnavailableError
from service.messages import Locale

QUIET = 25.0
"""Seconds after which figures that did not change are told again; listeners are promised 30."""

Reading = tuple[bytes, Callable[[Locale], bytes]]
"""The figures without what changes by itself, to be compared, and the figures to tell in a language."""


class Broadcast:
    """Asks ``read`` each ``interval`` seconds, only while somebody listens, and tells everybody what changed.

    Its ``loop`` is to be started and stopped. A slow listener misses what was overtaken, never the latest.
    """

    def __init__(self, read: Callable[[], Awaitable[Reading]], *, interval: float = 0.1, quiet: float = QUIET) -> None:
        self._read = read
        self.loop = Loop("figures", interval, self._poll)
        self._quiet = quiet
        self._listeners = 0
        self._news = asyncio.Condition()
        self._version = 0
        self._told: bytes | None = None
        self._told_at = 0.0
        self._latest: Mapping[Locale, bytes] | None = None
        self._closed = False

    async def listen(self, locale: Locale) -> AsyncGenerator[bytes | None, None]:
        """The figures now, and again whenever they are told; ``None`` while they can't be read. Ends with
        :meth:`close`."""
        self._listeners += 1
        seen = 0
        if self._listeners == 1:
            self._version = 0
            self.loop.wake()
        try:
            while True:
                async with self._news:
                    while not self._closed and self._version <= seen:
                        await self._news.wait()
                    if self._closed:
                        return
                    seen, latest = self._version, self._latest
                yield latest[locale] if latest else None
        finally:
            self._listeners -= 1

    async def close(self) -> None:
        """Ends every listening, so that no stream holds up a stop."""
        self._closed = True
        async with self._news:
            self._news.notify_all()

    async def _poll(self) -> None:
        if not self._listeners:
            return
        try:
            essence, say = await self._read()
        except StoreUnavailableError:
            await self._tell(None, None)
        except Exception:
            await self._tell(None, None)
            raise
        else:
            await self._tell(essence, say)

    async def _tell(self, essence: bytes | None, say: Callable[[Locale], bytes] | None) -> None:
        now = asyncio.get_running_loop().time()
        if essence == self._told and self._version and now - self._told_at < self._quiet:
            return
        latest = say and {locale: say(locale) for locale in get_args(Locale)}
        self._told, self._told_at = essence, now
        async with self._news:
            self._latest = latest
            self._version += 1
            self._news.notify_all()


BROADCAST: web.AppKey[Broadcast] = web.AppKey("broadcast", Broadcast)

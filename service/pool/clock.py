"""The pool's time: integer milliseconds, measured against Redis TIME, never going back."""

from __future__ import annotations

import time
from collections.abc import Callable

from redis.asyncio import Redis


class Clock:
    """Milliseconds UTC as the pool's Redis sees them.

    ``measure`` is called each minute and on reconnect. Between two measurements the clock runs on the monotonic clock
    of the machine; a measurement that would turn it back makes it stand still instead.
    """

    __slots__ = ("_last", "_monotonic", "_offset")

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last, int((self._monotonic() + self._offset) * 1000))
        return self._last

    async def measure(self, redis: Redis) -> float:
        """Takes over Redis' time, half the round trip allowed for; answers the correction in seconds."""
        before = self._monotonic()
        seconds, microseconds = await redis.time()
        after = self._monotonic()
        offset = int(seconds) + int(microseconds) / 1_000_000 - (before + after) / 2
        correction, self._offset = offset - self._offset, offset
        return correction

"""Pace: how fast a server may be asked to do things. In memory; a restart of evoproxy begins with a full bucket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class TokenBucket:
    """At most ``burst`` at once and ``rate`` a second in the long run; waiters are served in order."""

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at = now()
        self._now = now
        self._sleep = sleep
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Returns when it is the caller's turn."""
        async with self._turn:
            self._fill()
            if self._tokens < 1:
                await self._sleep((1 - self._tokens) / self._rate)
                self._fill()
            self._tokens -= 1

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now


class Backoff:
    """Doubling pauses per key, at most ``longest`` seconds; forgotten at the first success."""

    def __init__(self, first: float = 1.0, longest: float = 30.0) -> None:
        self._first = first
        self._longest = longest
        self._pauses: dict[str, float] = {}

    def failed(self, key: str) -> float:
        """Counts a failure; answers the seconds to wait before the next try."""
        pause = self._pauses[key] = min(self._pauses.get(key, self._first / 2) * 2, self._longest)
        return pause

    def succeeded(self, key: str) -> None:
        self._pauses.pop(key, None)

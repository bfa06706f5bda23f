"""Pace: how fast a server may be asked to do things. In memory; a restart of evoproxy begins with a full bucket."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

_Turn: TypeAlias = asyncio.Future[None]


class _Line:
    """Who waits for a turn: the urgent before the others, each kind in the order in which they came."""

    def __init__(self) -> None:
        self._urgent: OrderedDict[_Turn, None] = OrderedDict()
        self._others: OrderedDict[_Turn, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    async def wait(self, *, urgent: bool, unused: Callable[[], None]) -> None:
        """Returns when it is the caller's turn. ``unused`` is called when the caller is cancelled with its turn."""
        turn: _Turn = asyncio.get_running_loop().create_future()
        kind = self._urgent if urgent else self._others
        kind[turn] = None
        try:
            await turn
        except asyncio.CancelledError:
            kind.pop(turn, None)
            if not turn.cancelled():
                unused()
            raise

    def admit(self) -> bool:
        """Gives the first its turn; false if nobody waits."""
        while kind := self._urgent or self._others:
            turn, _ = kind.popitem(last=False)
            if not turn.cancelled():  # it was, but its task has not run yet
                turn.set_result(None)
                return True
        return False


class TokenBucket:
    """At most ``burst`` at once and ``rate`` a second in the long run, whoever is cancelled meanwhile."""

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._now = now or asyncio.get_running_loop().time
        self._filled_at = self._now()
        self._sleep = sleep
        self._line = _Line()
        self._serving: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._line)

    def seconds_for(self, turns: int) -> float:
        """How long so many turns take from now on."""
        self._fill()
        return max(0.0, (turns - self._tokens) / self.rate)

    async def take(self, *, urgent: bool = False) -> None:
        """Returns when it is the caller's turn. Urgent are releases, humans and cures: they go before the others."""
        self._fill()
        if self._tokens >= 1 and not self._line:
            self._tokens -= 1
            return
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name="pace")
        try:
            await self._line.wait(urgent=urgent, unused=self._give_back)
        finally:
            if not self._line and self._serving is not None:
                self._serving.cancel()
                self._serving = None

    async def _serve(self) -> None:
        """Whoever is first when a token is there gets it, not who was first when the wait for it began."""
        while self._line:
            if self._tokens < 1:
                await self._sleep((1 - self._tokens) / self.rate)
                self._fill()
            if self._line.admit():
                self._tokens -= 1
        self._serving = None

    def _give_back(self) -> None:
        """The next one takes over the turn."""
        if not self._line.admit():
            self._tokens += 1

    def _fill(self) -> None:
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self.rate)
        self._filled_at = now


class Slots:
    """At most ``limit`` at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = _Line()
        self.in_flight = 0

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._line)

    @asynccontextmanager
    async def slot(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Holds one slot. Urgent are releases, humans and cures: they go before the others."""
        if self.in_flight < self._limit and not self._line:
            self.in_flight += 1
        else:
            await self._line.wait(urgent=urgent, unused=self._free)
        try:
            yield
        finally:
            self._free()

    def _free(self) -> None:
        """The next one takes over the slot."""
        if not self._line.admit():
            self.in_flight -= 1


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


class Streaks:
    """How often in a row something happened to a holder under one lease; another token begins anew."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[str, int]] = {}

    def count(self, holder: str, token: str) -> int:
        """Counts one more; answers the length of the streak."""
        known, before = self._counts.get(holder, (token, 0))
        length = before + 1 if known == token else 1
        self._counts[holder] = token, length
        return length

    def end(self, holder: str) -> None:
        self._counts.pop(holder, None)

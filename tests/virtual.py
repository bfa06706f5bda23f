"""Time that passes only when nothing is left to do: an hour of a service's life in the time that its work takes."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from redis.asyncio.connection import AbstractConnection

from service.pool.clock import Clock
from tests.lua.stage import START

_PATIENCE = 0.5
"""Real seconds that an answer of Redis may take before virtual time goes on without it: then Redis is down."""


class _Selector(selectors.DefaultSelector):
    """Never sleeps. While an answer is awaited from outside this process it waits for that; else the clock jumps to the
    next timer. What this process says to itself over loopback is there as soon as it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = 0.0
        self.awaited: set[object] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if self.awaited or timeout is None:
            events = super().select(_PATIENCE)
        if not events and timeout is not None:
            self.clock += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are virtual: each sleep, time limit and pace in this process follows them."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.clock

    @contextmanager
    def waiting_for_redis(self) -> Iterator[None]:
        """Time stands still while a reply of Redis is due."""
        awaited, read_response = self._jumping.awaited, AbstractConnection.read_response

        async def counted(connection: AbstractConnection, *args: Any, **kwargs: Any) -> Any:
            awaited.add(connection)
            try:
                return await read_response(connection, *args, **kwargs)
            finally:
                awaited.discard(connection)

        with mock.patch.object(AbstractConnection, "read_response", counted):
            yield


class VirtualClock(Clock):
    """The pool's milliseconds, by the loop of virtual time."""

    __slots__ = ("_loop",)

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def now(self) -> int:
        return START + round(self._loop.time() * 1000)

    async def measure(self, redis: object) -> float:
        return 0.0

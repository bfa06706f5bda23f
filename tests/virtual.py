"""Time that passes only when nothing is left to do: an hour of a service's life in the time that its work takes, and a
time limit that expires only where nobody answers, on the slowest machine too."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import ExitStack
from typing import Any, TypeVar, TypeVarTuple
from unittest import mock

from redis.asyncio.connection import AbstractConnection

from service.pool.clock import Clock
from tests.lua.stage import START

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_PATIENCE = 30.0
"""Real seconds that Redis or a thread may take before virtual time goes on without it."""
_LONG, _LOOPBACK = 0.2, 0.001
"""Before a jump as long as a time limit, real seconds for what a busy kernel still has on its way over loopback."""


class _Selector(selectors.DefaultSelector):
    """Never sleeps. While something is awaited from outside this thread it waits for that; else the clock jumps to the
    next timer. What this process says to itself over loopback is there as soon as it is sent, or nearly."""

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
        elif timeout > _LONG:
            # Stopped meanwhile (SIGSTOP), it comes back without a look at what has arrived.
            events = super().select(_LOOPBACK) or super().select(0)
        if not events and timeout is not None:
            self.clock += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are virtual: each sleep, time limit and pace in this process follows them. They stand
    still while Redis or a thread of an executor works. One at a time."""

    def __init__(self) -> None:
        self._jumping = _Selector()
        super().__init__(self._jumping)
        self._patches = ExitStack()
        for name in ("send_packed_command", "read_response"):
            waited_for = self._waited_for(getattr(AbstractConnection, name))
            self._patches.enter_context(mock.patch.object(AbstractConnection, name, waited_for))

    def time(self) -> float:
        return self._jumping.clock

    def close(self) -> None:
        self._patches.close()
        super().close()

    def run_in_executor(self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts) -> asyncio.Future[_T]:
        future = super().run_in_executor(executor, func, *args)
        self._jumping.awaited.add(future)
        future.add_done_callback(self._jumping.awaited.discard)
        return future

    def _waited_for(self, call: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def waited_for(*args: Any, **kwargs: Any) -> Any:
            self._jumping.awaited.add(this := object())
            try:
                return await call(*args, **kwargs)
            finally:
                self._jumping.awaited.discard(this)

        return waited_for


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

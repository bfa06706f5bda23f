"""Tasks that can't be lost, a gate that a test opens, and waiting for a change without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Tasks:
    """Background tasks that end with their owner; an error in one is raised by :meth:`close`."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._errors.append(error)

    async def close(self) -> None:
        """Cancel what still runs and wait for it. Raises ``ExceptionGroup`` with the errors of all tasks so far."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._errors:
            raise ExceptionGroup("simulator tasks failed", self._errors)


class Gate:
    """Holds whoever waits until :meth:`release`; those who come afterwards wait for the next release."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = asyncio.Event()

    async def wait(self) -> None:
        self.waiting += 1
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1

    def release(self) -> None:
        self._open.set()
        self._open = asyncio.Event()


class Changes:
    """Wakes waiters at each change, so that a test needs neither sleep nor polling."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool], limit: float = 5.0) -> None:
        """Return once ``condition()`` holds. Raises ``TimeoutError`` after ``limit`` seconds."""
        async with asyncio.timeout(limit):
            while not condition():
                await self._changed.wait()

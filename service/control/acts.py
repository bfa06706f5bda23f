"""The acts under way on one server: one at a time per instance, and beside it at most one reconnect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from service.control.context import unless_overtaken
from service.errors import EvoproxyError

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Acts:
    """Tasks by instance. A reconnect runs beside the act, because it may wait long for its turn, and nothing else of
    the instance is to wait for that."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._beside: dict[str, asyncio.Task[Any]] = {}
        self._stopping = False

    def __len__(self) -> int:
        return len(self._running) + len(self._beside)

    def start(self, instance: str, act: Coroutine[Any, Any, object]) -> None:
        """Starts the instance's act, unless one is running: then the next tick decides anew."""
        self._start(self._running, instance, act)

    def start_beside(self, instance: str, act: Coroutine[Any, Any, object], *, queued: bool = False) -> None:
        """Starts the instance's reconnect, unless one is running; ``queued``: after the one that is running, which may
        have begun too early to serve it."""
        running = self._beside.get(instance)
        if queued and running is not None:
            running.add_done_callback(lambda _: self._start(self._beside, instance, act))
        else:
            self._start(self._beside, instance, act)

    async def alone(self, instance: str, act: Coroutine[Any, Any, T]) -> T:
        """Runs a human's act after the one that is running, and answers its result. That the caller goes away does not
        end it."""
        while running := self._running.get(instance):
            await asyncio.wait({running})
        task = asyncio.create_task(act, name=f"act:{self._server}/{instance}")
        self._keep(self._running, instance, task)
        return await asyncio.shield(task)

    def busy(self, instance: str) -> bool:
        """Whether an act or a reconnect of the instance is under way."""
        return instance in self._running or instance in self._beside

    async def idle(self, limit: float | None = None) -> None:
        """Returns when every act that runs now has ended, or after ``limit`` seconds; reconnects are not waited for."""
        if self._running:
            await asyncio.wait(self._running.values(), timeout=limit)

    async def stop(self, deadline: float) -> None:
        """Ends reconnects at once and acts after ``deadline`` seconds at the latest."""
        self._stopping = True
        for task in self._beside.values():
            task.cancel()
        if self._running:
            await asyncio.wait(self._running.values(), timeout=deadline)
        left = {*self._running.values(), *self._beside.values()}
        while left:  # a library may swallow a cancellation that meets the end of its own time limit
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.1)

    def _start(self, where: dict[str, asyncio.Task[Any]], instance: str, act: Coroutine[Any, Any, object]) -> None:
        if instance in where or self._stopping:
            act.close()
            return
        task = asyncio.create_task(self.guarded(act), name=f"act:{self._server}/{instance}")
        task.add_done_callback(lambda _: act.close())  # cancelled before its first step, it was never awaited
        self._keep(where, instance, task)

    def _keep(self, where: dict[str, asyncio.Task[Any]], instance: str, task: asyncio.Task[Any]) -> None:
        where[instance] = task
        task.add_done_callback(lambda _: where.pop(instance, None))

    async def guarded(self, act: Coroutine[Any, Any, object]) -> None:
        """Runs an act that nobody waits for: what it raises is told in the log, and the next tick looks again."""
        try:
            await unless_overtaken(act)
        except EvoproxyError as error:
            logger.warning(
                "an act failed; the next tick looks again", extra={"server": self._server, "error": str(error)}
            )
        except Exception:
            logger.exception("an act failed; the next tick looks again", extra={"server": self._server})

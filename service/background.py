"""The one supervised loop: every periodic job of evoproxy runs in it, and none dies unseen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from service.errors import EvoproxyError

logger = logging.getLogger(__name__)

_SHORTEST_BACKOFF = 1.0
_TELL_AGAIN = 300.0
"""Seconds after which a failure that goes on unchanged is logged again."""


class Clock:
    """Time as the event loop sees it, and a sleep that an event ends early. Tests pass their own."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Return once ``event`` is set or ``seconds`` have passed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


class Loop:
    """Runs ``await work()`` at once and then every ``interval`` seconds, counted from the start of a run.

    A run that raises is logged, the same failure in a row every five minutes, and the next one waits: one interval
    after the first failure, two after more in a row (so that what recovers is seen within two intervals, DESIGN.md
    P4), never under a second. Only :meth:`stop` and cancellation of the loop itself end it. One run at a time: what
    falls due during a run is done right after it, once.

    ``last_success`` and ``last_error_at`` are the clock's seconds, ``failures`` counts failures in a row.
    """

    def __init__(
        self,
        name: str,
        interval: float,
        work: Callable[[], Awaitable[object]],
        *,
        limit: float = 30.0,
        clock: Clock | None = None,
    ) -> None:
        """``limit``: seconds that one healthy run may take, see :meth:`healthy`."""
        self.name = name
        self.interval = interval
        self.limit = limit
        self.last_success: float | None = None
        self.last_error: BaseException | None = None
        self.last_error_at: float | None = None
        self.failures = 0
        self._told_at = 0.0
        self._work = work
        self._clock = clock or Clock()
        self._started_at: float | None = None
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin. Raises ``RuntimeError`` when it already runs."""
        if self.running:
            raise RuntimeError(f"loop {self.name} already runs")
        self._stop.clear()
        self._started_at = self._clock.now()
        self._task = asyncio.create_task(self._run(), name=f"loop:{self.name}")

    def wake(self) -> None:
        """Run as soon as possible; any number of calls before that are one.

        A back-off is not cut short: whoever wakes the loop in a storm must not turn it into a storm of failures.
        """
        self._wake.set()

    def healthy(self, now: float | None = None) -> bool:
        """Whether the loop runs and its last success (or its start) is at most three intervals and ``limit`` ago."""
        if not self.running or self._started_at is None:
            return False
        since = self._started_at if self.last_success is None else max(self.last_success, self._started_at)
        return (self._clock.now() if now is None else now) - since <= 3 * self.interval + self.limit

    async def stop(self, deadline: float = 10.0) -> None:
        """End the loop: a run under way may finish within ``deadline`` seconds, then it is cancelled.

        Returns when nothing of it runs any more. Calling it again, or before the start, does nothing.
        """
        if self._task is None:
            return
        self._stop.set()
        self._wake.set()
        _, pending = await asyncio.wait({self._task}, timeout=deadline)
        if pending:
            logger.warning("loop cancelled: it did not stop in time", extra={"loop": self.name, "deadline": deadline})
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            begun = self._clock.now()
            await self._run_once()
            if self.failures:
                pause = max(self.interval * min(self.failures, 2), _SHORTEST_BACKOFF)
                await self._clock.wait(self._stop, pause)
            elif (pause := begun + self.interval - self._clock.now()) > 0:
                await self._clock.wait(self._wake, pause)
            else:
                await asyncio.sleep(0)

    async def _run_once(self) -> None:
        try:
            await self._work()
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            self._failed(error)  # the work was cancelled from inside: a failure like others, not the loop's end
        except Exception as error:
            self._failed(error)
        else:
            if self.failures:
                logger.info("loop recovered", extra={"loop": self.name, "failures": self.failures})
            self.failures = 0
            self.last_success = self._clock.now()

    def _failed(self, error: BaseException) -> None:
        now = self._clock.now()
        again = self.failures > 0 and str(error) == str(self.last_error)
        self.failures += 1
        self.last_error, self.last_error_at = error, now
        if again and now - self._told_at < _TELL_AGAIN:
            return
        self._told_at = now
        told: dict[str, object] = {"loop": self.name, "failures": self.failures}
        if isinstance(error, EvoproxyError):  # raised on purpose: its words say all that a traceback would
            logger.error("loop failed", extra=told | {"error": str(error)})
        else:
            logger.error("loop failed", exc_info=error, extra=told)

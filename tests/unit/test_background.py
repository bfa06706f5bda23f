"""The supervised loop, in a time that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.background import Clock, Loop
from service.errors import EvolutionUnavailableError
from tests.helpers import wait_until


class MovedClock(Clock):
    """Seconds that pass only by :meth:`advance`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.due: dict[asyncio.Future[None], float] = {}

    def now(self) -> float:
        return self.seconds

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        due = asyncio.get_running_loop().create_future()
        self.due[due] = self.seconds + seconds
        woken = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({due, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self.due[due]
            woken.cancel()

    async def advance(self, seconds: float) -> None:
        """Once the loop waits: move on, and let what is due run until it waits again."""
        await wait_until(lambda: self.due, what="the loop waits")
        self.seconds += seconds
        reached = [due for due, at in self.due.items() if at <= self.seconds]
        for due in reached:
            due.set_result(None)
        await wait_until(lambda: self.due and not set(reached) & set(self.due), what="the loop waits again")


async def settle() -> None:
    """Let everything run that is ready to, a few turns deep."""
    for _ in range(10):
        await asyncio.sleep(0)


class Work:
    """Counts its runs; raises or blocks on demand."""

    def __init__(self) -> None:
        self.runs = 0
        self.error: BaseException | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.ended = 0

    async def __call__(self) -> None:
        self.runs += 1
        try:
            await self.gate.wait()
        finally:
            self.ended += 1
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def loop(clock: MovedClock, work: Work) -> AsyncIterator[Loop]:
    """Not started yet; stopped after the test."""
    loop = Loop("test", 10, work, limit=5, clock=clock)
    yield loop
    work.gate.set()
    await loop.stop()


async def test_it_runs_at_once_and_then_each_interval(loop: Loop, clock: MovedClock, work: Work) -> None:
    loop.start()
    await wait_until(lambda: clock.due)
    assert work.runs == 1
    await clock.advance(9.9)
    assert work.runs == 1
    await clock.advance(0.1)
    assert work.runs == 2
    assert (loop.last_success, loop.failures, loop.last_error) == (10, 0, None)


async def test_the_interval_counts_from_the_start_of_a_run(loop: Loop, clock: MovedClock, work: Work) -> None:
    work.gate.clear()
    loop.start()
    await wait_until(lambda: work.runs == 1)
    clock.seconds += 4
    work.gate.set()
    await clock.advance(6)
    assert work.runs == 2


async def test_what_falls_due_during_a_run_is_done_once_right_after_it(
    loop: Loop, clock: MovedClock, work: Work
) -> None:
    work.gate.clear()
    loop.start()
    await wait_until(lambda: work.runs == 1)
    clock.seconds += 35
    work.gate.set()
    await wait_until(lambda: clock.due)
    assert work.runs == 2
    assert list(clock.due.values()) == [45]


async def test_any_number_of_wakes_is_one_run_and_one_during_a_run_is_kept(
    loop: Loop, clock: MovedClock, work: Work
) -> None:
    loop.start()
    await wait_until(lambda: clock.due)
    work.gate.clear()
    for _ in range(5):
        loop.wake()
    await wait_until(lambda: work.runs == 2)
    loop.wake()
    loop.wake()
    work.gate.set()
    await wait_until(lambda: work.ended == 3)
    await wait_until(lambda: clock.due)
    assert work.runs == 3


async def test_only_what_nobody_raised_on_purpose_is_logged_with_its_traceback(
    loop: Loop, clock: MovedClock, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    work.error = EvolutionUnavailableError(server="default")
    loop.start()
    await wait_until(lambda: clock.due)
    work.error = ValueError("broken")
    await clock.advance(10)
    expected, unexpected = caplog.records
    assert expected.exc_info is None
    assert expected.__dict__["error"] == "evolution_unavailable server='default'"
    assert unexpected.exc_info is not None


async def test_a_failure_that_goes_on_is_told_again_after_five_minutes(
    loop: Loop, clock: MovedClock, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    work.error = EvolutionUnavailableError(server="default")
    loop.start()
    await wait_until(lambda: clock.due)
    for _ in range(29):
        await clock.advance(10)
    assert (loop.failures > 10, len(caplog.records)) == (True, 1)
    for _ in range(2):
        await clock.advance(10)
    assert len(caplog.records) == 2
    work.error = EvolutionUnavailableError(server="other")
    for _ in range(2):
        await clock.advance(10)
    assert len(caplog.records) == 3


async def test_failures_are_logged_and_back_off_within_two_intervals(
    loop: Loop, clock: MovedClock, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    loop.start()
    await wait_until(lambda: clock.due)
    work.error = ValueError("broken")
    await clock.advance(10)
    assert (loop.failures, loop.last_error, loop.last_error_at, loop.last_success) == (1, work.error, 10, 0)
    assert [record.message for record in caplog.records] == ["loop failed"]
    await clock.advance(10)
    assert list(clock.due.values()) == [40]
    loop.wake()
    await settle()
    await clock.advance(19)
    assert work.runs == 3
    await clock.advance(1)
    assert (work.runs, loop.failures) == (4, 3)
    assert list(clock.due.values()) == [60]
    work.error = None
    await clock.advance(20)
    assert (loop.failures, loop.last_success) == (0, 60)


async def test_a_cancellation_inside_the_work_does_not_end_it(loop: Loop, clock: MovedClock, work: Work) -> None:
    work.error = asyncio.CancelledError()
    loop.start()
    await wait_until(lambda: clock.due)
    assert loop.running
    assert loop.failures == 1


async def test_health_is_the_age_of_the_last_success(loop: Loop, clock: MovedClock, work: Work) -> None:
    loop.start()
    await clock.advance(10)
    assert loop.healthy()
    work.gate.clear()
    loop.wake()
    await wait_until(lambda: work.runs == 3)
    clock.seconds = 45
    assert loop.healthy()
    clock.seconds = 45.1
    assert not loop.healthy()
    assert loop.healthy(now=45)


async def test_a_loop_that_never_succeeds_is_not_healthy_for_long(loop: Loop, clock: MovedClock, work: Work) -> None:
    work.error = OSError()
    loop.start()
    await wait_until(lambda: loop.failures)
    assert loop.healthy(now=35)
    assert not loop.healthy(now=35.1)


async def test_a_stopped_loop_is_not_healthy(loop: Loop, clock: MovedClock) -> None:
    loop.start()
    await wait_until(lambda: clock.due)
    await loop.stop()
    assert not loop.running
    assert not loop.healthy()
    await loop.stop()


async def test_stop_lets_a_run_finish(loop: Loop, work: Work) -> None:
    work.gate.clear()
    loop.start()
    await wait_until(lambda: work.runs)
    stopping = asyncio.create_task(loop.stop())
    await asyncio.sleep(0)
    work.gate.set()
    await stopping
    assert (work.runs, loop.last_success) == (1, 0)


async def test_stop_cancels_a_run_at_its_deadline(loop: Loop, work: Work) -> None:
    work.gate.clear()
    loop.start()
    await wait_until(lambda: work.runs)
    await loop.stop(deadline=0)
    assert (work.ended, loop.last_success, loop.running) == (1, None, False)


async def test_stop_ends_a_back_off(loop: Loop, clock: MovedClock, work: Work) -> None:
    work.error = OSError()
    loop.start()
    await wait_until(lambda: loop.failures)
    await loop.stop()
    assert work.runs == 1


async def test_it_starts_once_and_again_after_a_stop(loop: Loop, work: Work) -> None:
    loop.start()
    with pytest.raises(RuntimeError, match="already runs"):
        loop.start()
    await wait_until(lambda: work.runs == 1)
    await loop.stop()
    loop.start()
    await wait_until(lambda: work.runs == 2)


async def test_the_real_clock_waits_for_the_event_or_the_time() -> None:
    clock, event = Clock(), asyncio.Event()
    before = clock.now()
    await clock.wait(event, 0.01)
    assert clock.now() - before >= 0.01
    event.set()
    await clock.wait(event, 3600)
    assert clock.now() - before < 60

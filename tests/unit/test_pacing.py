"""The pace of restarts, and the pauses after failures."""

from __future__ import annotations

import asyncio

import pytest

from service.control.pacing import Backoff, Slots, Streaks, TokenBucket


class Time:
    """Moves by being slept through."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds
        await asyncio.sleep(0)


def bucket(time: Time, rate: float, burst: int) -> TokenBucket:
    return TokenBucket(rate, burst, now=lambda: time.now, sleep=time.sleep)


async def test_a_burst_at_once_and_then_the_rate() -> None:
    time = Time()
    turns = bucket(time, 2, 3)
    for _ in range(6):
        await turns.take()
    assert time.slept == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("idle", "pauses"), [(0.999, [0.001]), (1.0, []), (100.0, [])])
async def test_it_fills_while_nobody_asks(idle: float, pauses: list[float]) -> None:
    time = Time()
    turns = bucket(time, 1, 2)
    await turns.take()
    await turns.take()
    time.now += idle
    await turns.take()
    assert time.slept == pauses


async def test_it_never_holds_more_than_the_burst() -> None:
    time = Time()
    turns = bucket(time, 1, 2)
    time.now += 3600
    for _ in range(3):
        await turns.take()
    assert time.slept == [1.0]


async def test_waiters_are_served_in_order_and_one_who_leaves_costs_no_turn() -> None:
    time = Time()
    turns = bucket(time, 1, 1)
    await turns.take()
    served: list[int] = []

    async def take(number: int) -> None:
        await turns.take()
        served.append(number)

    tasks = [asyncio.create_task(take(number)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert served == [0, 2, 3]
    assert time.now == pytest.approx(103.0)


async def test_the_urgent_go_before_the_others_and_each_kind_in_order() -> None:
    time = Time()
    turns = bucket(time, 1, 1)
    await turns.take()
    served: list[str] = []

    async def take(name: str, urgent: bool) -> None:
        await turns.take(urgent=urgent)
        served.append(name)

    kinds = {"a": False, "b": False, "u": True, "c": False, "v": True}
    tasks = [asyncio.create_task(take(name, urgent)) for name, urgent in kinds.items()]
    await asyncio.sleep(0)
    assert turns.waiting == len(kinds)
    await asyncio.gather(*tasks)
    assert served == ["u", "v", "a", "b", "c"]
    assert turns.waiting == 0
    assert time.now == pytest.approx(105.0)


async def test_who_is_cancelled_with_its_turn_gives_it_to_the_next() -> None:
    time = Time()
    turns = bucket(time, 1, 1)
    await turns.take()
    first, second = asyncio.create_task(turns.take()), asyncio.create_task(turns.take())
    while turns.waiting != 1:  # noqa: ASYNC110 - the first has its turn, and does not know it yet
        await asyncio.sleep(0)
    first.cancel()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    await turns.take()
    assert time.now == pytest.approx(102.0), "the turn that was not used served the second"


async def test_who_comes_when_all_others_left_is_served() -> None:
    time = Time()
    turns = bucket(time, 1, 1)
    await turns.take()
    for _ in range(3):
        left = asyncio.create_task(turns.take())
        await asyncio.sleep(0)
        left.cancel()
        last = asyncio.create_task(turns.take())
        await last
    assert time.now == pytest.approx(103.0)


async def test_nobody_who_waits_leaves_nothing_running() -> None:
    turns = TokenBucket(0.001, 1)
    await turns.take()
    waiting = asyncio.create_task(turns.take())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0)
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name() == "pace"] == []


class Work:
    """Holds a slot of two until it is told to let go."""

    def __init__(self) -> None:
        self.slots = Slots(2)
        self.held: list[str] = []
        self._done: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def begin(self, name: str, *, urgent: bool = False) -> asyncio.Task[None]:
        self._done[name] = asyncio.Event()
        task = self._tasks[name] = asyncio.create_task(self._hold(name, urgent))
        await asyncio.sleep(0)
        return task

    def let_go(self, name: str) -> None:
        self._done[name].set()

    async def end(self, name: str) -> None:
        self.let_go(name)
        await self._tasks[name]
        await asyncio.sleep(0)

    async def _hold(self, name: str, urgent: bool) -> None:
        async with self.slots.slot(urgent=urgent):
            self.held.append(name)
            await self._done[name].wait()


async def test_slots_are_bounded_and_the_urgent_go_first() -> None:
    work = Work()
    for name in ("a", "b", "c", "u"):
        await work.begin(name, urgent=name == "u")
    assert (work.held, work.slots.in_flight, work.slots.waiting) == (["a", "b"], 2, 2)
    await work.end("a")
    assert (work.held, work.slots.in_flight, work.slots.waiting) == (["a", "b", "u"], 2, 1)
    await work.end("b")
    await work.end("u")
    await work.end("c")
    assert (work.held, work.slots.in_flight, work.slots.waiting) == (["a", "b", "u", "c"], 0, 0)


async def test_who_leaves_costs_no_slot_with_it_or_without() -> None:
    work = Work()
    for name in ("a", "b"):
        await work.begin(name)
    left, given = await work.begin("c"), await work.begin("d")
    left.cancel()
    await asyncio.sleep(0)
    work.let_go("a")
    while work.slots.waiting:  # noqa: ASYNC110 - d has the slot of a, and does not know it yet
        await asyncio.sleep(0)
    given.cancel()
    await asyncio.gather(left, given, return_exceptions=True)
    assert (work.held, work.slots.in_flight) == (["a", "b"], 1)
    await work.begin("e")
    assert work.held == ["a", "b", "e"]


def test_pauses_double_up_to_the_longest_and_a_success_forgets() -> None:
    backoff = Backoff(1.0, 30.0)
    assert [backoff.failed("x") for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.failed("y") == 1
    backoff.succeeded("x")
    backoff.succeeded("nobody")
    assert backoff.failed("x") == 1


def test_any_number_of_failures() -> None:
    backoff = Backoff(1.0, 30.0)
    assert {backoff.failed("x") for _ in range(5_000)} == {1, 2, 4, 8, 16, 30}


def test_a_streak_is_of_one_lease_and_has_an_end() -> None:
    streaks = Streaks()
    assert [streaks.count("a/one", "1"), streaks.count("a/one", "1"), streaks.count("a/two", "1")] == [1, 2, 1]
    assert streaks.count("a/one", "2") == 1
    streaks.end("a/one")
    streaks.end("a/one")
    assert (streaks.count("a/one", "2"), streaks.count("a/two", "1")) == (1, 2)

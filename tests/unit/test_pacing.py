"""The pace of restarts, and the pauses after failures."""

from __future__ import annotations

import asyncio

import pytest

from service.control.pacing import Backoff, TokenBucket


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

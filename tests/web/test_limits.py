"""Limits: on failed logins, and on what one token may ask."""

from __future__ import annotations

from service.web.limits import Logins, Rates


class Time:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_an_address_that_fails_too_often_waits_and_the_limit_ends_by_itself() -> None:
    now = Time()
    logins = Logins(most=2, seconds=60, now=now)
    waits = []
    for _ in range(3):
        waits.append(logins.wait("x"))
        logins.failed("x")
        now.at += 10
    assert (waits, logins.wait("x"), logins.wait("y")) == ([0, 0, 40], 30, 0)
    now.at = 60
    assert logins.wait("x") == 0


def test_many_addresses_get_one_guess_each_and_nobody_else_waits() -> None:
    now = Time()
    logins = Logins(most=10, in_total=20, seconds=60, now=now)
    for number in range(20):
        assert logins.wait(str(number)) == 0
        logins.failed(str(number))
    assert [logins.wait(one) for one in ("0", "19", "somebody else")] == [60, 60, 0]
    now.at = 60
    assert logins.wait("0") == 0


def test_failures_are_remembered_in_bounded_memory() -> None:
    logins = Logins(most=1, in_total=1000, now=Time(), addresses=3)
    for address in "abcd":
        logins.failed(address)
    assert [bool(logins.wait(one)) for one in "abcd"] == [False, True, True, True]


def test_a_bucket_fills_steadily() -> None:
    now = Time()
    rates = Rates(now=now)
    assert [rates.take("t", 60).taken for _ in range(61)] == [True] * 60 + [False]
    now.at += 2.5
    assert [rates.take("t", 60).taken for _ in range(3)] == [True, True, False]
    assert rates.take("u", 60).taken
    now.at += 3600
    assert rates.take("t", 60).left == 59, "no more than a minute's requests are saved up"


def test_what_is_left_is_told() -> None:
    now = Time()
    rates = Rates(now=now)
    first = rates.take("t", 1)
    assert (first.taken, first.headers["RateLimit"]) == (True, '"token";r=0;t=60')
    now.at += 45
    second = rates.take("t", 1)
    assert (second.taken, second.wait, second.headers["RateLimit"]) == (False, 15, '"token";r=0;t=15')


def test_buckets_are_kept_in_bounded_memory() -> None:
    rates = Rates(now=Time(), actors=2)
    for actor in ("a", "b", "a", "c"):
        rates.take(actor, 2)
    assert (rates.take("a", 2).taken, rates.take("a", 2).taken) == (False, False)
    assert rates.take("b", 2).left == 1, "the one used longest ago was forgotten"

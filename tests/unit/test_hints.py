"""When a hint makes evoproxy look: a table of times, and the bounds of a storm."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from service.control import hints
from service.control.hints import AT_ONCE, LIST_PAUSE, Due, Schedule


def looks(hinted: list[float], until: float, *, schedule: Schedule | None = None) -> list[float]:
    """When ``x`` is looked at by name, if it is hinted at at these times and what is due is taken at once."""
    schedule = schedule or Schedule()
    waiting, found = sorted(hinted), []
    due: list[float] = []
    while waiting or due:
        now = min([*waiting[:1], *due])
        if now > until:
            break
        if waiting and waiting[0] == now:
            waiting.pop(0)
            if (at := schedule.hint("x", now)) is not None:
                due.append(at)
            continue
        due.remove(now)
        if schedule.take(now).names:
            found.append(now)
    return found


@pytest.mark.parametrize(
    ("hinted", "looked"),
    [
        ([0], [0]),
        ([0, 0, 0], [0]),
        ([0, 0.1], [0, 0.25]),
        ([0, 0.5], [0, 0.5]),
        ([0, 0.1, 0.3, 0.8], [0, 0.25, 0.75, 1.75]),
        ([0, 59], [0, 59]),
        ([0, 0.1, 60.0, 60.1], [0, 0.25, 60, 61]),  # 59.9 s of quiet: the pause goes on doubling
        ([0, 0.1, 60.2, 60.3], [0, 0.25, 60.2, 60.45]),
    ],
)
def test_the_looks_of_one_instance(hinted: list[float], looked: list[float]) -> None:
    assert looks(hinted, 1000) == looked


def test_pauses_double_to_the_longest_and_the_last_hint_is_never_lost() -> None:
    storm = [number / 200 for number in range(200 * 200)]
    found = looks(storm, 10_000)
    pauses = [round(later - earlier, 2) for earlier, later in pairwise(found)]
    assert pauses[:8] == [0.25, 0.5, 1, 2, 4, 8, 16, 30]
    assert set(pauses[7:]) == {30}
    assert storm[-1] < found[-1] <= storm[-1] + 30


def test_ten_seconds_of_a_flapping_instance_are_six_looks() -> None:
    assert len(looks([number / 200 for number in range(2000)], 10)) == 6


def test_many_instances_at_once_are_one_list() -> None:
    schedule = Schedule()
    for number in range(AT_ONCE + 1):
        schedule.hint(f"i{number}", 0)
    assert schedule.take(0) == Due([], whole=True, rest=[f"i{number}" for number in range(AT_ONCE + 1)])


def test_a_few_are_asked_for_by_name_and_then_one_a_second() -> None:
    schedule, named, lists = Schedule(), 0, []
    for step in range(400):
        now = step / 10
        schedule.hint(f"i{step}", now)
        names, whole, _ = schedule.take(now)
        named += len(names)
        lists += [now] if whole else []
    assert named <= AT_ONCE + 40
    assert all(later - earlier >= LIST_PAUSE for earlier, later in pairwise(lists))
    assert len(lists) == 8


def test_what_was_left_to_a_list_comes_with_the_next_one() -> None:
    schedule = Schedule()
    schedule.want_list()
    assert schedule.take(0).whole
    schedule.want_list()
    assert not schedule.take(4.9).whole
    assert schedule.take(5).whole
    assert not schedule.take(50).whole


def test_memory_is_bounded_and_what_does_not_fit_is_left_to_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints, "NAMES", 10)
    schedule = Schedule()
    for number in range(100):
        assert schedule.hint(f"i{number}", 1) == 1
    assert len(schedule) == 10
    assert schedule.take(1) == Due([], whole=True, rest=[f"i{number}" for number in range(10)])
    schedule.hint("new", 62)
    assert len(schedule) == 1


def test_an_absent_one_waits_for_the_longest_pause_unless_it_is_created() -> None:
    schedule = Schedule()
    schedule.hint("x", 0)
    assert schedule.take(0).names == ["x"]
    schedule.absent("x")
    assert schedule.hint("x", 0.1) == 30
    assert schedule.hint("x", 0.2, created=True) == 1
    assert schedule.hint("x", 0.3, created=True) is None
    assert schedule.take(0.9).names == []
    assert schedule.take(1).names == ["x"]
    schedule.present("x")
    assert schedule.hint("x", 1.1) == 1.25
    assert (schedule.take(1.25).names, schedule.take(30).names) == (["x"], [])


def test_a_ghost_costs_a_look_in_half_a_minute() -> None:
    schedule, found = Schedule(), 0
    for step in range(46 * 300):
        now = step / 46
        schedule.hint("ghost", now)
        for name in schedule.take(now).names:
            found += 1
            schedule.absent(name)
    assert found <= 11


def test_created_is_no_way_around_the_pauses_of_one_that_is_there() -> None:
    schedule = Schedule()
    schedule.hint("x", 0, created=True)
    schedule.take(0)
    assert schedule.hint("x", 0.1, created=True) == 0.25


@pytest.mark.parametrize("seed", range(20))
def test_after_every_hint_there_is_a_look_or_a_list(seed: int) -> None:
    dice, schedule, now = random.Random(seed), Schedule(), 0.0
    unseen: set[str] = set()
    for _ in range(2000):
        now += dice.choice([0, 0.01, 0.2, 3])
        name = f"i{dice.randrange(8)}"
        schedule.hint(name, now, created=dice.random() < 0.2)
        unseen.add(name)
        if dice.random() < 0.7:
            names, whole, _ = schedule.take(now)
            unseen = set() if whole else unseen - set(names)
            for one in names:
                dice.choice([schedule.absent, schedule.present])(one)
    for _ in range(8):
        now += 5
        names, whole, _ = schedule.take(now)
        unseen = set() if whole else unseen - set(names)
    assert not unseen
    assert len(schedule) <= 8

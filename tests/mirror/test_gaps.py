"""Which events are lost, as a table."""

from __future__ import annotations

import pytest

from service.mirror.gaps import gap
from service.pool.stream import START, Event, EventId, Reading

E1, E2 = 1_000, 2_000
Id = tuple[int, int]


def reading(first: Id | None, *, last: Id, mirrored: Id = START, lost: tuple[Id, Id] | None = None) -> Reading:
    type_ = "pool.created" if first == (E1, 1) else "pool.paused"
    events = [Event(EventId(*first), type_, "info", 0, "auto", {})] if first else []
    ends = (EventId(*lost[0]), EventId(*lost[1])) if lost else None
    return Reading(events, EventId(*last), EventId(*mirrored), ends, "life")


CASES: dict[str, tuple[Id, Reading, tuple[Id, Id] | None]] = {
    "a new pool": (START, reading((E1, 1), last=(E1, 9)), None),
    "nothing new": ((E1, 9), reading(None, last=(E1, 9), mirrored=(E1, 9)), None),
    "the next": ((E1, 4), reading((E1, 5), last=(E1, 9), mirrored=(E1, 4)), None),
    "the next epoch": ((E1, 9), reading((E2, 1), last=(E2, 3), mirrored=(E1, 9)), None),
    "not told to Redis yet": ((E1, 9), reading(None, last=(E1, 9), mirrored=(E1, 2)), None),
    "another database: all is there": (START, reading((E1, 1), last=(E1, 9), mirrored=(E1, 9)), None),
    "another database: the first are trimmed": (
        START,
        reading((E1, 5), last=(E1, 9), mirrored=(E1, 8)),
        ((0, 1), (E1, 4)),
    ),
    "dropped": ((E1, 4), reading((E1, 8), last=(E1, 9), lost=((E1, 5), (E1, 7))), ((E1, 5), (E1, 7))),
    "dropped, of which SQL holds the first": (
        (E1, 4),
        reading((E1, 8), last=(E1, 9), lost=((E1, 2), (E1, 7))),
        ((E1, 5), (E1, 7)),
    ),
    "dropped, all of which SQL holds": (
        (E1, 7),
        reading((E1, 8), last=(E1, 9), lost=((E1, 2), (E1, 7))),
        None,
    ),
    "dropped over a border": (
        (E1, 4),
        reading((E2, 3), last=(E2, 9), lost=((E1, 6), (E2, 2))),
        ((E1, 6), (E2, 2)),
    ),
    "dropped up to a border": (
        (E1, 4),
        reading((E2, 1), last=(E2, 9), lost=((E1, 5), (E1, 8))),
        ((E1, 5), (E1, 8)),
    ),
    "SQL fell back into what is still there": (
        (E1, 4),
        reading((E1, 5), last=(E1, 9), mirrored=(E1, 9)),
        None,
    ),
    "SQL fell back further": (
        (E1, 4),
        reading((E1, 7), last=(E1, 9), mirrored=(E1, 9)),
        ((E1, 5), (E1, 6)),
    ),
    "SQL fell back into an earlier epoch": (
        (E1, 4),
        reading((E2, 7), last=(E2, 9), mirrored=(E2, 8)),
        ((E1, 5), (E2, 6)),
    ),
    "SQL fell back, and all was trimmed": (
        (E1, 4),
        reading(None, last=(E1, 9), mirrored=(E1, 9)),
        ((E1, 5), (E1, 9)),
    ),
    "SQL fell back, and more was dropped": (
        (E1, 4),
        reading((E1, 9), last=(E1, 9), mirrored=(E1, 5), lost=((E1, 6), (E1, 8))),
        ((E1, 5), (E1, 8)),
    ),
    "deleted by hand": ((E1, 4), reading((E1, 8), last=(E1, 9), mirrored=(E1, 4)), ((E1, 5), (E1, 7))),
    "all deleted by hand": ((E1, 4), reading(None, last=(E1, 9), mirrored=(E1, 4)), ((E1, 5), (E1, 9))),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_lost(name: str) -> None:
    position, found, expected = CASES[name]
    assert gap(EventId(*position), found) == expected

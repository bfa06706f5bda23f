"""What live states tell of proxies, and when they tell of the server: tables over the facts of leases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.control.actions import Action, Assign, Cure, Rotate
from service.control.evidence import CURES, DEAD_PROXY, Suspicion, admitted, cure_due, judge, ripe, signs
from service.control.policy import Policy
from service.pool.models import Applied, Lease, Phase

AT = 10_000_000
SECOND, MINUTE = 1000, 60_000
POLICY = Policy()
WINDOW = POLICY.window_ms


def lease(number: int = 0, **fields: Any) -> Lease:
    """An applied, active lease, reserved long ago."""
    raw = {"server": "a", "instance": f"i{number}", "name": f"x{number}", "token": str(number), "phase": "active"}
    return replace(Lease.parse(f"{number:020}", raw), **{"applied": Applied.YES, "reserved_at": 1, **fields})


def troubled(number: int = 0, age: int = 2 * MINUTE, count: int = 3, **fields: Any) -> Lease:
    """In trouble since ``age`` ms, with ``count`` signs of the last seconds."""
    evidence = {"troubled_since": AT - age, "signs": tuple(AT - one for one in range(count))}
    return lease(number, **{**evidence, **fields})


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (lease(), 0),
        (troubled(count=0), 0),
        (troubled(), 3),
        (troubled(signs=(AT - WINDOW, AT - WINDOW + 1, AT)), 2),
        (lease(signs=(AT,)), 0),
    ],
)
def test_signs_count_while_in_trouble_and_within_the_window(held: Lease, expected: int) -> None:
    assert signs(held, AT, POLICY) == expected


@pytest.mark.parametrize(
    ("held", "due"),
    [
        (lease(), False),
        (troubled(count=0, looped=True), False),
        (troubled(age=1, count=1, looped=True), True),
        (troubled(age=MINUTE, count=1), False),
        (troubled(age=MINUTE + 1, count=1), True),
        (troubled(looped=True, cured_at=AT - MINUTE + 1), False),
        (troubled(looped=True, cured_at=AT - MINUTE), True),
        (troubled(age=10 * MINUTE, looped=True, cured_at=AT - 5 * MINUTE + 1), False),
        (troubled(age=10 * MINUTE, looped=True, cured_at=AT - 5 * MINUTE), True),
        (troubled(age=9 * 60 * MINUTE, looped=True, cured_at=AT - 15 * MINUTE + 1), False),
        (troubled(age=9 * 60 * MINUTE, looped=True, cured_at=AT - 15 * MINUTE), True),
        (troubled(age=1, looped=True, cured_at=AT - MINUTE + 1), False),
    ],
)
def test_when_a_cure_is_due(held: Lease, due: bool) -> None:
    assert cure_due(held, AT, POLICY) is due


CURED = AT - 30 * SECOND


@pytest.mark.parametrize(
    ("held", "complete"),
    [
        (lease(), False),
        (troubled(), False),
        (troubled(cured_at=CURED), True),
        (troubled(cured_at=CURED, count=2), False),
        (troubled(cured_at=CURED, spent=True), False),
        (troubled(cured_at=AT - 2 * MINUTE - 1), False),
        (troubled(cured_at=AT - MINUTE), False),
    ],
)
def test_when_the_evidence_is_complete(held: Lease, complete: bool) -> None:
    """Signs enough, and a cure of this trouble that has not helped; one that is due goes first."""
    assert ripe(held, AT, POLICY) is complete


@pytest.mark.parametrize("looped", [False, True])
def test_without_restarts_only_a_loop_would_use_another_proxy(looped: bool) -> None:
    assert ripe(troubled(cured_at=CURED, looped=looped), AT, replace(POLICY, restart=False)) is looped


def server(in_trouble: int, well: int, **fields: Any) -> list[Lease]:
    return [troubled(number, **fields) for number in range(in_trouble)] + [
        lease(in_trouble + number) for number in range(well)
    ]


@pytest.mark.parametrize(
    ("in_trouble", "well", "suspected"),
    [
        (3, 1, False),
        (4, 1, True),
        (3, 97, False),
        (10, 90, False),
        (11, 89, True),
        (0, 5, False),
        (0, 0, False),
        (1, 0, False),
        (2, 0, True),
        (3, 0, True),
    ],
)
def test_more_than_three_and_a_tenth_at_once_or_all_make_the_server_the_suspect(
    in_trouble: int, well: int, suspected: bool
) -> None:
    suspicion = judge(server(in_trouble, well), None, AT, POLICY)
    assert suspicion.since == (AT if suspected else None)
    assert (suspicion.cures, suspicion.rotations) == ((1, 0) if suspected else (None, None))


def test_what_begins_a_reconnect_does_not_count() -> None:
    assert judge(server(9, 0, count=0), None, AT, POLICY).since is None


SINCE = AT - 2 * WINDOW
TRIAL: dict[str, Any] = {"reason": DEAD_PROXY, "reserved_at": SINCE + 5}


@pytest.mark.parametrize(
    ("since", "others", "cures", "rotations"),
    [
        (SINCE, [], 1, 1),
        (SINCE + 1, [], 1, 0),
        (SINCE, [lease(90, reason=DEAD_PROXY, reserved_at=AT - WINDOW + 1, applied=Applied.NO)], 1, 0),
        (SINCE, [lease(90, reason=DEAD_PROXY, reserved_at=AT - WINDOW, applied=Applied.NO)], 1, 1),
        (SINCE, [lease(90, **TRIAL)], None, None),
        (SINCE, [lease(90, **TRIAL, troubled_since=AT)], 1, 1),
        (SINCE, [lease(90, reason=DEAD_PROXY, reserved_at=SINCE - 1)], 1, 1),
        (SINCE, [lease(90, cured_at=SINCE)], None, 1),
        (SINCE, [lease(90, cured_at=SINCE - 1)], 1, 1),
        (SINCE, [troubled(90, cured_at=SINCE)], 1, 1),
    ],
)
def test_what_a_suspicion_allows(since: int, others: list[Lease], cures: int | None, rotations: int | None) -> None:
    """One cure a look until one has helped; one trial a window, until one is applied."""
    suspicion = judge([*server(9, 0), *others], since, AT, POLICY)
    assert (suspicion.since, suspicion.cures, suspicion.rotations) == (since, cures, rotations)


@pytest.mark.parametrize("phase", [Phase.RESERVED, Phase.ACTIVE])
def test_a_trial_under_way_clears_nobody(phase: Phase) -> None:
    trial = lease(90, reason=DEAD_PROXY, reserved_at=AT - 1, applied=Applied.NO, phase=phase)
    suspicion = judge([*server(2, 0), trial], SINCE, AT, POLICY)
    assert (suspicion.since, suspicion.rotations) == (SINCE, 0)


def test_what_was_cured_before_the_first_trial_that_helped_is_cured_once_more() -> None:
    """The network may have come back with that trial."""
    trials = [lease(90 + one, reason=DEAD_PROXY, reserved_at=CURED + 1 + one) for one in range(2)]
    suspicion = judge([*server(9, 0), *trials], SINCE, AT, POLICY)
    earlier, later = (Rotate(troubled(cured_at=at)) for at in (CURED, CURED + 1))
    assert admitted([earlier, later], suspicion) == [Cure(earlier.lease), later]


def test_tails_and_reservations_are_no_instances() -> None:
    others = [lease(90 + one, reservation="r", phase=Phase.RESERVED) for one in range(60)]
    assert judge([*server(4, 0), *others], None, AT, POLICY).since == AT


def test_the_longest_in_trouble_is_tried_first_and_the_longest_without_a_cure_cured_first() -> None:
    rotations = [Rotate(troubled(number, age=age)) for number, age in enumerate((5, 9, 7))]
    cures = [Cure(troubled(10 + number, cured_at=cured)) for number, cured in enumerate((8, 3, 5))]
    actions: list[Action] = [Assign(), *rotations, *cures]
    begun = admitted(actions, Suspicion(AT, "", cures=1, rotations=1))
    assert begun == [Assign(), None, rotations[1], None, None, cures[1], None]


@pytest.mark.parametrize(("waiting", "begun"), [(CURES, CURES), (60, CURES), (300, 30)])
def test_cures_begin_by_tens_or_a_tenth_at_a_look(waiting: int, begun: int) -> None:
    actions: list[Action] = [Cure(troubled(number)) for number in range(waiting)]
    assert sum(action is not None for action in admitted(actions, Suspicion())) == begun


@pytest.mark.parametrize(("helped_at", "kind"), [(CURED, Rotate), (CURED + 1, Cure)])
def test_a_cure_that_failed_before_another_helped_is_tried_again(helped_at: int, kind: type[Cure | Rotate]) -> None:
    held = troubled(cured_at=CURED)
    assert admitted([Rotate(held)], Suspicion(helped_at=helped_at)) == [kind(held)]

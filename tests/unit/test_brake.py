"""The release half of the brake, and what may go on while it is engaged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.control.actions import (
    Action,
    Assign,
    BeginRelease,
    CancelRelease,
    Clear,
    Finish,
    Note,
    Reconnect,
    RowMoved,
    Verify,
    needs_brake_off,
)
from service.control.brake import Brake, Reading, admitted, after_failure, after_reading
from service.pool.models import Evidence, Lease, Waits

RAW = {"server": "a", "instance": "i", "name": "x", "token": "1", "phase": "releasing"}
LOST = Lease.parse("p", {**RAW, "release_reason": "disconnected"})
ASKED = Lease.parse("p", {**RAW, "release_reason": "by_hand"})
HUMANS = replace(ASKED, manual=True)
FINE = Reading(100, 0, 0)


@pytest.mark.parametrize(
    ("leased", "missing", "unexplained", "engages"),
    [
        (10, 10, 0, False),
        (11, 11, 0, True),
        (11, 5, 6, True),
        (50, 10, 0, False),
        (50, 0, 11, True),
        (100, 20, 0, False),
        (100, 21, 0, True),
        (100, 10, 11, True),
        (0, 0, 0, False),
    ],
)
def test_it_engages_beyond_ten_and_a_fifth(leased: int, missing: int, unexplained: int, engages: bool) -> None:
    brake, reason = after_reading(Brake(), Reading(leased, missing, unexplained))
    assert brake.engaged is engages
    assert bool(reason) is engages


@pytest.mark.parametrize("brake", [Brake(), Brake(True, False, 2), Brake(False, False, 9)])
def test_a_server_that_errs_engages_it(brake: Brake) -> None:
    assert after_failure(brake) == Brake(True, False, 0)


def test_a_humans_word_outlasts_a_failure() -> None:
    assert after_failure(Brake(False, True, 1)) == Brake(False, True, 0)


@pytest.mark.parametrize(
    ("leased", "missing", "whole"),
    [(100, 10, True), (100, 11, False), (8, 1, True), (8, 2, False), (1, 1, True), (0, 0, True)],
)
def test_a_list_is_whole_with_nine_of_ten(leased: int, missing: int, whole: bool) -> None:
    assert Reading(leased, missing, 0).whole is whole


def after(brake: Brake, *readings: Reading) -> list[bool]:
    engaged = []
    for reading in readings:
        brake, _ = after_reading(brake, reading)
        engaged.append(brake.engaged)
    return engaged


def test_three_whole_lists_in_a_row_let_go() -> None:
    assert after(Brake(True), FINE, FINE, FINE) == [True, True, False]


@pytest.mark.parametrize("bad", [Reading(100, 11, 0), Reading(100, 0, 21)])
def test_a_bad_one_between_begins_anew(bad: Reading) -> None:
    assert after(Brake(True), FINE, FINE, bad, FINE, FINE, FINE) == [True, True, True, True, True, False]


def test_while_the_list_stays_shrunken_only_a_human_lets_go() -> None:
    shrunken = Reading(100, 50, 0)
    assert all(after(Brake(True), *[shrunken] * 20))
    assert not any(after(Brake(False, True), *[shrunken] * 20))


def test_a_humans_word_ends_when_the_list_is_whole() -> None:
    brake, _ = after_reading(Brake(False, True), FINE)
    assert brake == Brake(False, False, 1)
    assert after_reading(brake, Reading(100, 50, 0))[0].engaged


@pytest.mark.parametrize(
    ("action", "waits"),
    [
        (Verify(LOST), True),
        (BeginRelease(LOST, Waits.ROW, "disconnected"), True),
        (BeginRelease(LOST, Waits.GRACE, "disconnected"), False),
        (BeginRelease(LOST, Waits.ROW, "logged_out_401"), False),
        (BeginRelease(LOST, Waits.ROW, "row_changed"), False),
        (Clear(LOST), True),
        (Clear(ASKED), False),
        (RowMoved(LOST, "off"), False),
        (Finish(LOST, Evidence.MOVED), False),
        (Finish(LOST, Evidence.RECREATED), False),
        (CancelRelease(LOST), False),
        (Assign(), False),
    ],
)
def test_what_waits_for_it(action: Action, waits: bool) -> None:
    assert needs_brake_off(action) is waits


@pytest.mark.parametrize(
    ("backlog", "engaged", "expected"),
    [
        (0, False, 0),
        (9, False, 9),
        (10, False, 10),
        (11, False, 10),
        (100, False, 10),
        (101, False, 11),
        (250, True, 0),
    ],
)
def test_a_tenth_of_the_backlog_a_tick_and_at_least_ten(backlog: int, engaged: bool, expected: int) -> None:
    proofs: list[Any] = [Clear(ASKED), Finish(LOST, Evidence.MOVED)]
    actions: list[Action] = [proofs[0], *(Verify(LOST) for _ in range(backlog)), proofs[1]]
    allowed = admitted(actions, engaged)
    assert [allowed[0], allowed[-1], len(allowed) - 2] == [*proofs, expected]


@pytest.mark.parametrize(
    ("action", "goes_on"),
    [
        (Assign(), False),
        (Verify(LOST), False),
        (Finish(LOST, Evidence.MOVED), False),
        (Clear(LOST), False),
        (Reconnect((LOST,)), False),
        (Clear(HUMANS), True),
        (Reconnect((LOST, HUMANS)), True),
        (Note(LOST, "down"), True),
    ],
)
def test_a_pause_stops_all_but_what_humans_began(action: Action, goes_on: bool) -> None:
    assert bool(admitted([action], False, paused=True)) is goes_on
    assert admitted([action], False) == [action]

"""Drift as a table: what is seen of an instance, what differs, and what is to be done about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from service import messages
from service.control.actions import (
    Action,
    Assert,
    Assign,
    BeginRelease,
    ExpireReservation,
    Note,
    Reconnect,
    Resume,
    Verify,
)
from service.control.decide import Seen, decide
from service.control.drift import Drift, Halts, Kind, Remedy, drifts, seen_anew, unconfigured
from service.evolution.models import Observation
from service.pool.models import Row
from service.web.drift import code_of
from tests.unit.test_decide import (
    ACTIVE,
    ADOPTED,
    AT,
    FRESH,
    GRACE,
    NEW,
    POLICY,
    RESERVATION,
    RESERVED,
    ROW,
    SET,
    SOCKET,
    TAIL,
    P,
    Q,
    lease,
    seen,
)

NOTHING: list[tuple[Kind, Remedy | None, tuple[type[Action], ...]]] = []
TROUBLED = lease(troubled_since=AT - 5_000)
SPENT = replace(TROUBLED, spent=True)

TABLE: dict[str, tuple[Seen, list[tuple[Kind, Remedy | None, tuple[type[Action], ...]]]]] = {
    # nothing differs
    "all is well": (seen("open", ACTIVE), NOTHING),
    "adopted": (seen("open", ADOPTED), NOTHING),
    "nothing is held and no row is set": (seen("open", row=""), NOTHING),
    "unmanaged with a row of its own": (seen("open", row=Q, managed=False), NOTHING),
    "chosen a moment ago": (seen("open", FRESH, row=""), NOTHING),
    "set, not open yet": (seen("connecting", NEW), NOTHING),
    "in the grace": (seen("close", GRACE), NOTHING),
    "released, step by step": (seen("open", SOCKET, row="off"), NOTHING),
    "a reservation": (seen(None, RESERVATION), NOTHING),
    "younger than the reading": (seen("open", lease(since=AT), row=""), NOTHING),
    # the row
    "no row": (seen("open", ACTIVE, row=""), [(Kind.ROW_MISSING, None, (Assert,))]),
    "switched off": (seen("open", ACTIVE, row="off"), [(Kind.ROW_MISSING, None, (Assert,))]),
    "no row, no longer managed": (
        seen("open", ACTIVE, row="", managed=False),
        [(Kind.ROW_MISSING, Remedy.RELEASE, ())],
    ),
    "an earlier one of its own": (
        seen("open", ACTIVE, row=Q, other=Row.LATE),
        [(Kind.ROW_OTHER, None, (Assert,))],
    ),
    "one of another's": (seen("open", ACTIVE, row=Q, other=Row.HELD), [(Kind.ROW_OTHER, None, (Assert,))]),
    "chosen by somebody": (
        seen("open", ACTIVE, row=Q, other=Row.CHOSEN),
        [(Kind.ROW_BY_HAND, None, (BeginRelease,))],
    ),
    "somebody's own": (seen("open", ACTIVE, row=Q, other=Row.EXTERNAL), [(Kind.ROW_BY_HAND, None, (BeginRelease,))]),
    "an old password": (seen("open", lease(outdated=True)), [(Kind.OUTDATED, None, (Assert,))]),
    # without a lease
    "external": (seen("open", row=Q, other=Row.EXTERNAL), [(Kind.EXTERNAL, Remedy.ASSIGN, ())]),
    "a conflict": (seen("open", other=Row.HELD), [(Kind.CONFLICT, None, (Assign,))]),
    "a conflict of a closed one": (seen("close", other=Row.HELD), [(Kind.CONFLICT, None, ())]),
    "not adopted yet": (seen("open"), [(Kind.ROW_WITHOUT_LEASE, None, ())]),
    # the instance
    "not listed": (seen(None, ACTIVE), [(Kind.LEASE_WITHOUT_INSTANCE, None, (Verify,))]),
    "chosen long ago": (seen("open", RESERVED, row=""), [(Kind.UNFINISHED, None, (Resume,))]),
    "set, not applied": (seen("open", SET), [(Kind.NOT_APPLIED, None, (Reconnect,))]),
    "in trouble": (seen("open", TROUBLED), [(Kind.IN_TROUBLE, None, (Reconnect,))]),
    "waits for a human": (seen("open", SPENT), [(Kind.ROTATIONS_SPENT, Remedy.ROTATE, (Reconnect,))]),
    "stuck": (seen("open", replace(ROW, stuck=True)), [(Kind.STUCK, Remedy.FORCE, ())]),
    "its tail is stuck": (
        seen("open", None, row=Q, tails=(replace(TAIL, stuck=True),), managed=False),
        [(Kind.STUCK, Remedy.FORCE, ())],
    ),
}


def found(*seens: Seen) -> list[Drift]:
    return list(drifts(seens, POLICY, {}).values())


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_what_differs_and_its_plan(
    case: tuple[Seen, list[tuple[Kind, Remedy | None, tuple[type[Action], ...]]]],
) -> None:
    situation, expected = case
    told = found(situation)
    assert [(one.kind, one.remedy, tuple(map(type, one.plan))) for one in told] == expected
    assert {action for one in told for action in one.plan} <= set(decide(situation, POLICY))


def test_every_kind_is_in_the_table_but_those_of_more_than_one_instance() -> None:
    kinds = {kind for _, expected in TABLE.values() for kind, _, _ in expected}
    assert set(Kind) - kinds == {Kind.SHARED, Kind.UNCONFIGURED_SERVER}


def other(state: Any, managed: bool = True) -> Seen:
    """Another instance whose row names the proxy of the lease."""
    return Seen(AT, Observation("a", "j", "y", state, "WHATSAPP-BAILEYS"), row=P, other=Row.HELD, managed=managed)


@pytest.mark.parametrize(
    ("neighbour", "remedy"),
    [(other("open"), None), (other("close"), Remedy.ROTATE), (other("open", managed=False), Remedy.ROTATE)],
)
def test_a_shared_proxy_waits_for_a_human_unless_the_other_one_moves(neighbour: Seen, remedy: Remedy | None) -> None:
    shared = [one for one in found(seen("open", ACTIVE, contested=True), neighbour) if one.kind is Kind.SHARED]
    assert [(one.name, one.remedy) for one in shared] == [("x", remedy)]


def test_each_difference_keeps_its_id_and_its_beginning() -> None:
    first = drifts([seen("open", ACTIVE, row="off")], POLICY, {})
    later = drifts([replace(seen("open", ACTIVE, row="off"), at=AT + 5)], POLICY, first)
    assert (first.keys(), {one.since for one in later.values()}) == (later.keys(), {AT})
    assert found(seen("open", TROUBLED))[0].since == AT - 5_000
    kinds = [found(situation)[0].id for situation, expected in TABLE.values() if expected]
    assert len(set(kinds)) > len(Kind) - 3
    assert unconfigured("a", 3).id == unconfigured("a", 2).id != unconfigured("b", 3).id


def test_a_look_at_one_instance_leaves_what_is_known_of_the_others() -> None:
    neighbour = Seen(AT, Observation("a", "j", "y", "open", "WHATSAPP-BAILEYS"), row=Q, other=Row.EXTERNAL)
    before = drifts([seen("open", ACTIVE, row="off"), neighbour], POLICY, {})
    after = seen_anew(before, [seen("open", ACTIVE)], POLICY)
    assert [one.instance for one in after.values()] == ["j"]


@pytest.mark.parametrize(
    ("situation", "halts", "reason"),
    [
        (seen("open", ACTIVE, row="off"), Halts(), ""),
        (seen("open", ACTIVE, row="off"), Halts(observe=True), "observe"),
        (seen("open", ACTIVE, row="off"), Halts(paused=True), "paused"),
        (seen("open", lease(manual=True), row="off"), Halts(paused=True), ""),
        (seen("open", ACTIVE, row="off"), Halts(set_brake=True), "braked"),
        (seen("open", ACTIVE, row="off"), Halts(release_brake=True), ""),
        (seen(None, ACTIVE), Halts(release_brake=True), "braked"),
        (seen(None, ACTIVE), Halts(set_brake=True), ""),
        (seen("open", row=Q, other=Row.EXTERNAL), Halts(paused=True, set_brake=True), ""),
    ],
)
def test_what_keeps_a_plan_back(situation: Seen, halts: Halts, reason: str) -> None:
    [drift] = found(situation)
    assert halts.of(drift) == reason


def test_everything_has_its_words() -> None:
    planned = set(get_args(Action)) - {Note, ExpireReservation}
    actions = [f"does_{code_of(object.__new__(one))}" for one in planned]
    codes = [*Kind, *actions, *(f"needs_{one}" for one in Remedy)]
    codes += [f"halted_{one}" for one in ("observe", "paused", "braked")]
    for locale in get_args(messages.Locale):
        assert [code for code in codes if messages.text(f"drift_{code}", locale) == f"drift_{code}"] == []

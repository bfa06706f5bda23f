"""The decision as a table: what is seen of one instance, and what is to be done about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.control.actions import (
    Action,
    Assert,
    Assign,
    BeginRelease,
    CancelRelease,
    Clear,
    Cure,
    ExpireReservation,
    Finish,
    GiveUp,
    Note,
    Reconnect,
    Resume,
    Rotate,
    RowMoved,
    Verify,
)
from service.control.decide import Seen, decide
from service.control.policy import Policy
from service.evolution.models import Observation, State
from service.pool.models import Applied, Evidence, Lease, Phase, Row, Waits

AT = 1_000_000
POLICY = Policy(cooldown_ms=5_000)
P, Q = "p" * 20, "q" * 20


def lease(**fields: Any) -> Lease:
    """An applied, active lease of proxy P that was made a minute ago and was open before."""
    raw = {"server": "a", "instance": "i", "name": "x", "token": "7", "phase": "active", "since": str(AT - 60_000)}
    return replace(Lease.parse(P, raw), **{"applied": Applied.YES, "opened": True, **fields})


def seen(state: State | None, held: Lease | None = None, row: str = P, **fields: Any) -> Seen:
    """The instance in that state (``None``: not listed) with a row that names ``row``."""
    code, at = fields.pop("code", None), fields.pop("closed_at", None)
    observation = None
    if state is not None:
        observation = Observation(
            "a", "i", "x", state, "WHATSAPP-BAILEYS", disconnection_code=code, disconnection_at=at
        )
    return Seen(AT, observation, held, row=row, **fields)


RESERVED = lease(phase=Phase.RESERVED, applied=Applied.NO, since=AT - POLICY.resume_after_ms)
FRESH = replace(RESERVED, since=RESERVED.since + 1)
ACTIVE = lease()
SET = lease(applied=Applied.NO)
DOWN = lease(applied=Applied.NO, down=True)
ADOPTED = lease(applied=Applied.UNKNOWN)
NEW = lease(applied=Applied.NO, opened=False)
HUNG = lease(troubled_since=AT - 60_000, signs=(AT - 1,))
LOOPED = replace(HUNG, looped=True)
DEAD = replace(LOOPED, signs=(AT - 3, AT - 2, AT - 1), cured_at=AT - 30_000)
DEAD_SET = replace(DEAD, applied=Applied.NO)
SPENT = replace(DEAD, spent=True)
GRACE = lease(phase=Phase.RELEASING, waits=Waits.GRACE, grace_until=AT + 1, release_reason="disconnected")
OVER = replace(GRACE, grace_until=AT)
ROW = lease(phase=Phase.RELEASING, waits=Waits.ROW, release_reason="by_hand")
LOST = replace(ROW, release_reason="disconnected")
CLEARING = replace(LOST, clear_begun_at=AT - 5)
SOCKET = lease(phase=Phase.RELEASING, waits=Waits.SOCKET, release_reason="by_hand", clear_begun_at=AT - 5)
GONE = replace(SOCKET, socket_gone=True)
FREED = replace(SOCKET, down=True)
RESERVATION = lease(phase=Phase.RESERVED, reservation="r", expires_at=AT, instance="~r")
TAIL = replace(ROW, tail=True, proxy_id=Q)
TAIL_SOCKET = replace(SOCKET, tail=True, proxy_id=Q)


def to_row(held: Lease, reason: str, **fields: Any) -> BeginRelease:
    return BeginRelease(held, Waits.ROW, reason, 5_000, "cooldown", **fields)


def banned(held: Lease, code: int) -> BeginRelease:
    return BeginRelease(held, Waits.ROW, f"logged_out_{code}", POLICY.ban_rest_ms, "ban", socket_gone=True)


TABLE: dict[str, tuple[Seen, list[Action]]] = {
    # a password that changed after the row was written
    "the row holds an old password": (seen("open", lease(outdated=True)), [Assert(lease(outdated=True))]),
    "the same, not managed": (seen("open", lease(outdated=True), managed=False), []),
    # without a lease
    "open, no row": (seen("open", row=""), [Assign()]),
    "open, switched off": (seen("open", row="off"), [Assign()]),
    "open, the row's proxy is another's": (seen("open", other=Row.HELD), [Assign()]),
    "open, an external proxy": (seen("open", other=Row.EXTERNAL), []),
    "open, a row that could not be adopted now": (seen("open"), []),
    "open, not managed": (seen("open", row="", managed=False), []),
    "connecting, no row": (seen("connecting", row=""), []),
    "close, no row": (seen("close", row=""), []),
    # a reservation for a name
    "its time is not over": (seen(None, replace(RESERVATION, expires_at=AT + 1)), []),
    "its time is over": (seen(None, RESERVATION), [ExpireReservation(RESERVATION)]),
    # not listed
    "not listed": (seen(None, ACTIVE), [Verify(ACTIVE)]),
    "not listed while releasing": (seen(None, SOCKET), [Verify(SOCKET)]),
    "the name has another id": (
        seen(None, ACTIVE, recreated=True),
        [Finish(ACTIVE, Evidence.RECREATED, POLICY.orphan_rest_ms, "orphan")],
    ),
    # younger than the reading
    "made in the very moment": (seen("close", lease(since=AT), row=""), []),
    "made a moment before": (seen("close", lease(since=AT - 1), row=""), [Assert(lease(since=AT - 1))]),
    # final closes
    "logged out": (
        seen("close", ACTIVE, code=401, closed_at=9),
        [to_row(ACTIVE, "logged_out_401", socket_gone=True)],
    ),
    "banned 402": (seen("close", ACTIVE, code=402, closed_at=9), [banned(ACTIVE, 402)]),
    "banned 403": (seen("close", ACTIVE, code=403, closed_at=9), [banned(ACTIVE, 403)]),
    "banned 406": (seen("close", ACTIVE, code=406, closed_at=9), [banned(ACTIVE, 406)]),
    "banned while reserved": (seen("close", RESERVED, code=403, closed_at=9), [banned(RESERVED, 403)]),
    "banned in the grace": (seen("close", GRACE, code=403, closed_at=9), [banned(GRACE, 403)]),
    "that close is known already": (seen("close", replace(GRACE, socket_gone=True), code=401, closed_at=9), []),
    "an old code and time": (
        seen("close", lease(disconnected_at=9), code=401, closed_at=9),
        [BeginRelease(lease(disconnected_at=9), Waits.GRACE, "disconnected", 5_000, "cooldown", AT + 60_000)],
    ),
    "a code without a time": (
        seen("close", ACTIVE, code=401),
        [BeginRelease(ACTIVE, Waits.GRACE, "disconnected", 5_000, "cooldown", AT + 60_000)],
    ),
    "a code that is not final": (
        seen("close", ACTIVE, code=428, closed_at=9),
        [BeginRelease(ACTIVE, Waits.GRACE, "disconnected", 5_000, "cooldown", AT + 60_000)],
    ),
    "open with a code": (seen("open", ACTIVE, code=401, closed_at=9), []),
    # reserved
    "reserved a moment ago": (seen("open", FRESH, row=""), []),
    "reserved long ago": (seen("open", RESERVED, row=""), [Resume(RESERVED)]),
    "reserved, and another's row names it": (seen("open", RESERVED, row="", contested=True), [GiveUp(RESERVED)]),
    "reserved, and its own row names it too": (seen("open", RESERVED, contested=True), [Resume(RESERVED)]),
    # active
    "all is well": (seen("open", ACTIVE), []),
    "seen open for the first time": (seen("open", lease(opened=False)), [Note(lease(opened=False), "opened")]),
    "set, not applied": (seen("open", SET), [Reconnect((SET,))]),
    "set, seen down": (seen("open", DOWN), [Reconnect((DOWN,))]),
    "set, down": (seen("connecting", SET), [Note(SET, "down")]),
    "set, down, known": (seen("connecting", DOWN), []),
    "adopted": (seen("open", ADOPTED), []),
    "adopted, down": (seen("connecting", ADOPTED), [Note(ADOPTED, "down")]),
    "adopted, down and back": (seen("open", replace(ADOPTED, down=True)), [Reconnect((replace(ADOPTED, down=True),))]),
    "a QR code of before the row": (seen("connecting", NEW), [Reconnect((NEW,))]),
    "a QR code of after the restart": (seen("connecting", replace(NEW, down=True)), []),
    "a QR code, no longer managed": (seen("connecting", NEW, managed=False), [Note(NEW, "down")]),
    "closed before the first open": (seen("close", NEW), [Note(NEW, "down")]),
    "closed after it was open": (
        seen("close", ACTIVE),
        [BeginRelease(ACTIVE, Waits.GRACE, "disconnected", 5_000, "cooldown", AT + 60_000)],
    ),
    "a state that nobody knows": (seen("unknown", ACTIVE), []),
    # active, in trouble: the list reads open, the live state does not
    "in trouble": (seen("open", HUNG), [Reconnect((HUNG,))]),
    "in trouble, a cure is due": (seen("open", LOOPED), [Cure(LOOPED), Reconnect((LOOPED,))]),
    "in trouble, and the evidence is complete": (seen("open", DEAD), [Rotate(DEAD), Reconnect((DEAD,))]),
    "dead, set and never applied": (seen("open", DEAD_SET), [Rotate(DEAD_SET), Reconnect((DEAD_SET,))]),
    "dead, waiting for a human": (seen("open", SPENT), [Reconnect((SPENT,))]),
    "dead, not managed": (seen("open", DEAD, managed=False), [Reconnect((DEAD,))]),
    "dead, assigned by hand": (
        seen("open", replace(DEAD, manual=True), managed=False),
        [Rotate(replace(DEAD, manual=True)), Reconnect((replace(DEAD, manual=True),))],
    ),
    "dead, the list shows a QR code": (seen("connecting", DEAD), []),
    "dead, with a tail": (
        seen("open", DEAD, tails=(TAIL_SOCKET,)),
        [Rotate(DEAD), Reconnect((TAIL_SOCKET, DEAD))],
    ),
    "dead, the row names something else": (seen("open", DEAD, row="off"), [Assert(DEAD)]),
    # active, another row
    "the row is gone": (seen("open", ACTIVE, row=""), [Assert(ACTIVE)]),
    "the row is off": (seen("open", ACTIVE, row="off"), [Assert(ACTIVE)]),
    "a late set": (seen("open", ACTIVE, row=Q, other=Row.LATE), [Assert(ACTIVE)]),
    "another's proxy": (seen("open", ACTIVE, row=Q, other=Row.HELD), [Assert(ACTIVE)]),
    "a chosen proxy": (seen("open", ACTIVE, row=Q, other=Row.CHOSEN), [to_row(ACTIVE, "row_changed")]),
    "an external one": (seen("open", ACTIVE, row=Q, other=Row.EXTERNAL), [to_row(ACTIVE, "row_changed")]),
    "off, and another's row names it": (
        seen("open", ACTIVE, row="off", contested=True),
        [to_row(ACTIVE, "row_changed")],
    ),
    "off, no longer managed": (seen("open", ACTIVE, row="off", managed=False), [to_row(ACTIVE, "row_changed")]),
    "null, no longer managed": (seen("open", ACTIVE, row="", managed=False), []),
    "off, assigned by hand": (
        seen("open", lease(manual=True), row="off", managed=False),
        [Assert(lease(manual=True))],
    ),
    "as it was, no longer managed": (seen("open", ACTIVE, managed=False), []),
    # grace
    "in the grace": (seen("close", GRACE), []),
    "the grace is over": (seen("close", OVER), [to_row(OVER, "disconnected")]),
    "back in the grace": (seen("open", GRACE), [CancelRelease(GRACE)]),
    "connecting in the grace": (seen("connecting", OVER), [CancelRelease(OVER)]),
    "unknown when the grace is over": (seen("unknown", OVER), []),
    # waiting for the row
    "the row still names it": (seen("close", ROW), [Clear(ROW)]),
    "the row is null": (seen("close", ROW, row=""), [Clear(ROW)]),
    "the row is off by now": (seen("close", ROW, row="off"), [RowMoved(ROW, "off")]),
    "the row names another": (seen("open", ROW, row=Q), [RowMoved(ROW, Q)]),
    "stuck": (seen("open", replace(ROW, stuck=True)), []),
    "stuck, and off by now": (
        seen("open", replace(ROW, stuck=True), row="off"),
        [RowMoved(replace(ROW, stuck=True), "off")],
    ),
    "released by hand and open": (seen("open", ROW), [Clear(ROW)]),
    "disconnected and back": (seen("open", LOST), [CancelRelease(LOST)]),
    "disconnected and connecting": (seen("connecting", LOST), [CancelRelease(LOST)]),
    "back after the clear was begun": (seen("open", CLEARING), [CancelRelease(CLEARING)]),
    "connecting after the clear was begun": (seen("connecting", CLEARING), [Clear(CLEARING)]),
    "unknown, disconnected": (seen("unknown", LOST), []),
    "unknown, released by hand": (seen("unknown", ROW), [Clear(ROW)]),
    # waiting for the socket
    "open on the old socket": (seen("open", SOCKET, row="off"), [Reconnect((SOCKET,))]),
    "connecting": (seen("connecting", SOCKET, row="off"), [Reconnect((SOCKET,))]),
    "closed once": (seen("close", SOCKET, row="off"), [Note(SOCKET, "down")]),
    "closed twice": (seen("close", FREED, row="off"), [Finish(FREED, Evidence.MOVED)]),
    "closed for good": (seen("close", GONE, row="off"), [Finish(GONE, Evidence.MOVED)]),
    "closed for good, and paired again": (seen("open", GONE, row="off"), [Reconnect((GONE,))]),
    "the row names it again": (seen("open", SOCKET), [Clear(SOCKET)]),
    "disconnected, cleared, and back": (
        seen("open", replace(SOCKET, release_reason="disconnected"), row="off"),
        [CancelRelease(replace(SOCKET, release_reason="disconnected"))],
    ),
    "unknown": (seen("unknown", SOCKET, row="off"), []),
    # tails: a lease that the instance has moved away from
    "its successor is not set yet": (seen("open", FRESH, row=Q, tails=(TAIL,)), []),
    "its successor is set": (seen("open", ACTIVE, tails=(TAIL,)), [RowMoved(TAIL, P)]),
    "one restart serves both": (
        seen("open", SET, tails=(TAIL_SOCKET,)),
        [Reconnect((TAIL_SOCKET, SET))],
    ),
    "its successor is released": (seen("open", ROW, row=Q, tails=(TAIL,)), [Clear(TAIL), RowMoved(ROW, Q)]),
    "it has no successor": (seen("open", None, row=Q, tails=(TAIL,), managed=False), [Clear(TAIL)]),
    "the row names it again, with a successor": (
        seen("open", ACTIVE, row=Q, tails=(TAIL_SOCKET,), other=Row.LATE),
        [Assert(ACTIVE), Reconnect((TAIL_SOCKET,))],
    ),
    "banned": (
        seen("close", ACTIVE, code=403, closed_at=9, tails=(TAIL_SOCKET,)),
        [banned(TAIL_SOCKET, 403), banned(ACTIVE, 403)],
    ),
}


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE.keys())
def test_decide(case: tuple[Seen, list[Action]]) -> None:
    situation, actions = case
    assert decide(situation, POLICY) == actions


@pytest.mark.parametrize(("held", "actions"), [(SET, []), (DOWN, [Reconnect((DOWN,))])])
def test_without_restarts_it_only_looks(held: Lease, actions: list[Action]) -> None:
    assert decide(seen("open", held), replace(POLICY, restart=False)) == actions


@pytest.mark.parametrize(
    ("assign_in", "state", "code", "assigned"),
    [
        ({"open"}, "connecting", None, False),
        ({"open", "connecting"}, "connecting", None, True),
        ({"open", "connecting", "close"}, "close", None, True),
        ({"open", "connecting", "close"}, "close", 401, False),
        ({"open", "connecting", "close"}, "close", 428, True),
        ({"open", "connecting", "close"}, "unknown", None, False),
    ],
)
def test_when_an_instance_wants_a_proxy(assign_in: set[str], state: State, code: int | None, assigned: bool) -> None:
    policy = replace(POLICY, assign_in=frozenset(assign_in))
    assert decide(seen(state, row="", code=code, closed_at=9), policy) == ([Assign()] if assigned else [])


@pytest.mark.parametrize(
    ("situation", "unexplained"),
    [
        (seen(None, ACTIVE), True),
        (seen("unknown", ACTIVE), True),
        (seen("close", ACTIVE), True),
        (seen("close", GRACE), True),
        (seen("close", NEW), False),
        (seen("close", ACTIVE, code=401, closed_at=9), False),
        (seen("close", lease(disconnected_at=9), code=401, closed_at=9), True),
        (seen("open", ACTIVE), False),
        (seen("connecting", ACTIVE), False),
        (seen(None, ACTIVE, recreated=True), False),
        (seen(None, lease(manual=True)), False),
        (seen(None, RESERVATION), False),
        (seen(None, None), False),
    ],
)
def test_what_the_release_half_of_the_brake_counts(situation: Seen, unexplained: bool) -> None:
    assert situation.unexplained is unexplained

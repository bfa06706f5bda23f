"""Drift: where lease, row and live state of an instance differ, and what is to be done about it.

Pure. A kind says what differs; the plan is that of :func:`~service.control.decide.decide`, so that it never says
something else than what will be done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from service.control.actions import (
    Action,
    Assert,
    Assign,
    Cure,
    Note,
    Reconnect,
    Resume,
    Rotate,
    is_humans,
    needs_brake_off,
)
from service.control.decide import Seen, decide
from service.control.policy import Policy
from service.evolution.models import State
from service.pool.models import Applied, Lease, Phase, Row


class Kind(StrEnum):
    ROW_MISSING = "row_missing"
    """No proxy is set in the row of an instance that holds one."""
    ROW_OTHER = "row_other"
    """The row names another proxy, which nobody chose for it: one of another instance, or an earlier one of its own."""
    ROW_BY_HAND = "row_by_hand"
    """Somebody set another proxy in the row: a choice, which the lease gives way to."""
    ROW_WITHOUT_LEASE = "row_without_lease"
    """The row names a proxy of the pool that the instance does not hold yet."""
    CONFLICT = "conflict"
    """The row names a proxy that another instance holds."""
    SHARED = "shared"
    """The row of another instance names this one's proxy."""
    EXTERNAL = "external"
    """The row names a proxy that the pool does not know."""
    LEASE_WITHOUT_INSTANCE = "lease_without_instance"
    """The list does not hold the instance."""
    OUTDATED = "outdated"
    """The row holds the password of before an import or a change."""
    UNFINISHED = "unfinished"
    """A proxy was chosen, and its setting did not come to an end."""
    NOT_APPLIED = "not_applied"
    """The row is right, and the open connection is the one of before."""
    IN_TROUBLE = "in_trouble"
    """The list says open, and the live state has not been for a while."""
    ROTATIONS_SPENT = "rotations_spent"
    """The same, and policy may not rotate the proxy any more."""
    STUCK = "stuck"
    """Evolution refused six times to clear the row."""
    UNCONFIGURED_SERVER = "unconfigured_server"
    """Leases of a server that is no longer configured."""


class Remedy(StrEnum):
    """What a human's repair does about drift that does not repair itself."""

    ASSIGN = "assign"
    ROTATE = "rotate"
    RELEASE = "release"
    FORCE = "force"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. ``proxy_id`` is the lease's proxy, else the one that the row names; ``since`` in ms is when it
    began, as far as this process knows, 0 if it does not. ``remedy`` is ``None`` for what repairs itself."""

    kind: Kind
    server: str
    instance: str = ""
    name: str = ""
    since: int = 0
    proxy_id: str = ""
    row: str = ""
    lease: Lease | None = None
    plan: tuple[Action, ...] = ()
    remedy: Remedy | None = None
    leases: int = 1

    @property
    def id(self) -> str:
        """The same for the same difference, in every process."""
        text = "\n".join((self.server, self.instance, self.proxy_id, self.kind))
        return hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Halts:
    """What keeps a server's actions back now."""

    observe: bool = False
    paused: bool = False
    release_brake: bool = False
    set_brake: bool = False

    def of(self, drift: Drift) -> str:
        """Why the plan does not go on now: observe, paused or braked; ``""`` when it does."""
        if self.observe:
            return "observe"
        for action in drift.plan:
            if self.paused and not is_humans(action):
                return "paused"
            sets = isinstance(action, Assign | Assert | Cure | Reconnect | Resume | Rotate)
            if (self.release_brake and needs_brake_off(action)) or (self.set_brake and sets):
                return "braked"
        return ""


def drifts(seens: Sequence[Seen], policy: Policy, before: Mapping[str, Drift]) -> dict[str, Drift]:
    """By id, what differs in ``seens``. What differed ``before`` keeps its beginning."""
    moving = {seen.row for seen in seens if _leaves_row(seen, policy)}
    found: dict[str, Drift] = {}
    for seen in seens:
        for lease in (*seen.tails, seen.lease):
            kind = _with_lease(seen, lease) if lease else _without_lease(seen)
            if kind is None:
                continue
            drift = _drift(kind, seen, lease, policy, moving)
            if kind is Kind.UNFINISHED and not drift.plan:
                continue  # under way
            known = before.get(drift.id)
            found[drift.id] = replace(drift, since=min(known.since, drift.since)) if known else drift
    return found


def seen_anew(before: Mapping[str, Drift], seens: Sequence[Seen], policy: Policy) -> dict[str, Drift]:
    """``before`` after a look at some instances alone."""
    looked_at = {seen.observation.id for seen in seens if seen.observation}
    others = {key: drift for key, drift in before.items() if drift.instance not in looked_at}
    return others | drifts(seens, policy, before)


def unconfigured(server: str, leases: int) -> Drift:
    """What a former server is: nobody but a human can say that its leases are over."""
    return Drift(Kind.UNCONFIGURED_SERVER, server, leases=leases, remedy=Remedy.FORGET)


def _leaves_row(seen: Seen, policy: Policy) -> bool:
    """Whether the instance is about to leave the proxy that its row names and that another one holds."""
    return seen.other is Row.HELD and any(isinstance(action, Assign | Assert) for action in decide(seen, policy))


def _without_lease(seen: Seen) -> Kind | None:
    if not seen.managed or seen.row in ("", "off"):
        return None
    if seen.other is Row.EXTERNAL:
        return Kind.EXTERNAL
    return Kind.CONFLICT if seen.other is Row.HELD else Kind.ROW_WITHOUT_LEASE


def _with_lease(seen: Seen, lease: Lease) -> Kind | None:
    if lease.reservation or lease.since >= seen.at:  # no instance yet, or changed after the reading began
        return None
    if seen.observation is None:
        return Kind.LEASE_WITHOUT_INSTANCE
    if lease.stuck:
        return Kind.STUCK
    if lease.phase is Phase.ACTIVE:
        return _of_active(seen, lease, seen.observation.state)
    return Kind.UNFINISHED if lease.phase is Phase.RESERVED else None


def _of_active(seen: Seen, lease: Lease, state: State) -> Kind | None:
    if seen.row in ("", "off"):
        return Kind.ROW_MISSING
    if seen.row != lease.proxy_id:
        return Kind.ROW_BY_HAND if seen.other in (Row.CHOSEN, Row.EXTERNAL) else Kind.ROW_OTHER
    if seen.contested:
        return Kind.SHARED
    if lease.outdated:
        return Kind.OUTDATED
    if lease.spent:
        return Kind.ROTATIONS_SPENT
    if lease.troubled_since is not None:
        return Kind.IN_TROUBLE
    # An adopted row is applied=unknown, and no restart is due for that alone (DESIGN.md, 1): it is as it should be.
    return Kind.NOT_APPLIED if state == "open" and lease.applied is Applied.NO else None


def _drift(kind: Kind, seen: Seen, lease: Lease | None, policy: Policy, moving: Collection[str]) -> Drift:
    plan = tuple(action for action in decide(seen, policy) if _is_about(action, lease))
    remedy = _REMEDIES.get(kind)
    if kind is Kind.SHARED and lease and lease.proxy_id not in moving:
        remedy = Remedy.ROTATE
    elif kind in (Kind.ROW_MISSING, Kind.ROW_OTHER) and not plan:
        remedy = Remedy.RELEASE
    return Drift(
        kind,
        *_who(seen, lease),
        since=(lease and lease.troubled_since) or seen.at,
        proxy_id=lease.proxy_id if lease else seen.row,
        row=seen.row,
        lease=lease,
        plan=plan,
        remedy=remedy,
    )


def _who(seen: Seen, lease: Lease | None) -> tuple[str, str, str]:
    """Server, id and name of the instance."""
    if lease is not None:
        return lease.server, lease.instance, lease.name
    now = seen.observation
    return (now.server, now.id, now.name) if now else ("", "", "")


def _is_about(action: Action, lease: Lease | None) -> bool:
    match action:
        case Assign():
            return lease is None
        case Note():  # changes nothing
            return False
        case Reconnect(leases):
            return lease in leases
        case _:
            return action.lease == lease


_REMEDIES = {Kind.EXTERNAL: Remedy.ASSIGN, Kind.ROTATIONS_SPENT: Remedy.ROTATE, Kind.STUCK: Remedy.FORCE}

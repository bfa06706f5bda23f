"""What the controller can do about one instance. Decisions are values, so that they can be compared in a table."""

from __future__ import annotations

from dataclasses import dataclass

from service.pool.models import Evidence, Lease, Phase, Waits


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the instance a proxy: reserve, set, read back, confirm."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Finish a reservation that was begun before: the same proxy is set again."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class GiveUp:
    """End a reservation without another set: its proxy is somebody else's by now."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Assert:
    """Write the lease's proxy into the row again, which names something else."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Note:
    """Record what was seen under the lease: ``opened`` or ``down``."""

    lease: Lease
    what: str


@dataclass(frozen=True, slots=True)
class BeginRelease:
    lease: Lease
    waits: Waits
    reason: str
    rest_ms: int = 0
    rest_reason: str = ""
    grace_until: int = 0
    socket_gone: bool = False


@dataclass(frozen=True, slots=True)
class CancelRelease:
    lease: Lease


@dataclass(frozen=True, slots=True)
class Clear:
    """Clear the row of a release, if it still is the lease's, or is so again."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class RowMoved:
    """The list shows that the row names ``row`` by now: nothing is left to clear."""

    lease: Lease
    row: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Restart the instance, paced, and watch it come back: for the lease that is to be applied, and for those that
    wait for the old socket to go. One that is in trouble, or was seen down already, is only looked at."""

    leases: tuple[Lease, ...]


@dataclass(frozen=True, slots=True)
class Cure:
    """Write the row of an instance in trouble once more, which ends a reconnect loop; restart it if it is stuck."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Rotate:
    """Give the instance another proxy: the evidence against the one it holds is complete."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Finish:
    lease: Lease
    evidence: Evidence
    rest_ms: int = 0
    rest_reason: str = ""


@dataclass(frozen=True, slots=True)
class Verify:
    """The list does not hold the instance: ask the server for it by name, and believe a 404 only."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class ExpireReservation:
    lease: Lease


Action = (
    Assign
    | Resume
    | GiveUp
    | Assert
    | Note
    | BeginRelease
    | CancelRelease
    | Clear
    | RowMoved
    | Reconnect
    | Cure
    | Rotate
    | Finish
    | Verify
    | ExpireReservation
)


def is_humans(action: Action) -> bool:
    """Whether the action goes on with what a human began, or only notes what was seen: a pause does not stop it."""
    match action:
        case Assign() | Cure() | Rotate():
            return False
        case Reconnect(leases):
            return any(lease.manual for lease in leases)
        case Note() | ExpireReservation():
            return True
        case _:
            return action.lease.manual


def needs_brake_off(action: Action) -> bool:
    """Whether the action would take a proxy from an instance on mere absence or an unexplained state.

    Final closes, humans' releases and rows that moved are proof and never wait (DESIGN.md, 3, brake).
    """
    match action:
        case Verify(lease):
            return not (lease.manual and lease.phase is Phase.RELEASING)
        case BeginRelease(waits=Waits.ROW, reason="disconnected"):
            return True
        case Clear(lease=lease):
            return lease.release_reason == "disconnected"
    return False

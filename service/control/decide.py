"""The decision: a pure function from what is seen of one instance to what is to be done about it.

No clock, no store, no call. Poll, webhook and timers all end here; a lost event costs time, never correctness.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from service.control.evidence import cure_due, ripe
from service.control.policy import BAN_CODES, FINAL_CODES, Policy
from service.evolution.models import Observation
from service.pool.models import Applied, Evidence, Lease, Phase, Row, Waits

DISCONNECTED = "disconnected"
ROW_CHANGED = "row_changed"


@dataclass(frozen=True, slots=True)
class Seen:
    """All that is known of one instance when the decision is made.

    ``at`` (ms) is when the reading of the server began: what is younger than that is not contradicted by it.
    ``observation`` is ``None`` when a complete list does not hold the instance; ``recreated`` says that its name is
    listed with another id. ``reserved``: a reservation under its name is open. ``row`` is the proxy id that the row
    names, ``off``, or ``""`` for no evidence; ``other`` says what that proxy is to the pool when it is not the lease's.
    ``contested``: the row of another instance names the lease's proxy, as may be after Redis lost writes.
    """

    at: int
    observation: Observation | None
    lease: Lease | None = None
    tails: tuple[Lease, ...] = ()
    row: str = ""
    other: Row | None = None
    contested: bool = False
    recreated: bool = False
    reserved: bool = False
    managed: bool = True

    @property
    def shown_open(self) -> bool:
        """Whether the list shows it open with the row of its active lease, which policy looks after: only the live
        state tells more (EVOLUTION.md, B8)."""
        lease, now = self.lease, self.observation
        return (
            lease is not None
            and lease.phase is Phase.ACTIVE
            and now is not None
            and now.state == "open"
            and self.row == lease.proxy_id
            and (self.managed or lease.manual)
        )

    @property
    def unexplained(self) -> bool:
        """Whether this leased instance is missing or closed without a reason: what the release half counts."""
        lease, now = self.lease, self.observation
        if lease is None or lease.reservation or lease.manual or self.recreated:
            return False
        if now is None or now.state == "unknown":
            return True
        return now.state == "close" and lease.opened and not _final(lease, now)


def decide(seen: Seen, policy: Policy) -> list[Action]:
    """What is to be done now, in order. At most one :class:`Reconnect`, and it serves all that wait for it."""
    actions: list[Action] = []
    for lease in (*seen.tails, seen.lease):
        if lease is None:
            actions += _without_lease(seen, policy)
        elif lease.since < seen.at:
            actions += _with_lease(seen, lease, policy)
    waiting = tuple(lease for action in actions if isinstance(action, Reconnect) for lease in action.leases)
    others: list[Action] = [action for action in actions if not isinstance(action, Reconnect)]
    return [*others, Reconnect(waiting)] if waiting else others


def _without_lease(seen: Seen, policy: Policy) -> Iterator[Action]:
    """A row of the pool's has been adopted before this; what is left is external, or held by another instance."""
    if seen.observation is None or not seen.managed or not policy.wants_proxy(seen.observation):
        return
    if seen.reserved and seen.observation.state == "close":
        return  # it is being created: listed while its proxy is still tested (EVOLUTION.md, 3)
    if seen.row in ("", "off") or seen.other is Row.HELD:
        yield Assign()


def _with_lease(seen: Seen, lease: Lease, policy: Policy) -> Iterator[Action]:
    if lease.reservation:
        if lease.expires_at is not None and lease.expires_at <= seen.at:
            yield ExpireReservation(lease)
    elif seen.observation is None:
        if seen.recreated:
            yield Finish(lease, Evidence.RECREATED, policy.orphan_rest_ms, "orphan")
        else:
            yield Verify(lease)
    elif _final(lease, seen.observation) and not lease.socket_gone:
        yield _release_for_good(lease, seen.observation, policy)
    elif lease.phase is Phase.RESERVED:
        if lease.since + policy.resume_after_ms <= seen.at:
            yield GiveUp(lease) if seen.contested and seen.row != lease.proxy_id else Resume(lease)
    elif lease.phase is Phase.ACTIVE:
        yield from _active(seen, lease, seen.observation, policy)
    else:
        yield from _releasing(seen, lease, seen.observation, policy)


def _final(lease: Lease, now: Observation) -> bool:
    """A final close of this lease's time: the code and the time are never cleared, so an old pair proves nothing."""
    return (
        now.state == "close"
        and now.disconnection_code in FINAL_CODES
        and now.disconnection_at is not None
        and now.disconnection_at != lease.disconnected_at
    )


def _release_for_good(lease: Lease, now: Observation, policy: Policy) -> BeginRelease:
    banned = now.disconnection_code in BAN_CODES
    return BeginRelease(
        lease,
        Waits.ROW,
        f"logged_out_{now.disconnection_code}",
        rest_ms=policy.ban_rest_ms if banned else policy.cooldown_ms,
        rest_reason="ban" if banned else "cooldown",
        socket_gone=True,
    )


def _active(seen: Seen, lease: Lease, now: Observation, policy: Policy) -> Iterator[Action]:
    ours = seen.managed or lease.manual
    if lease.outdated and ours and seen.row == lease.proxy_id:
        yield Assert(lease)
        return
    if seen.row != lease.proxy_id:
        if seen.other in (Row.CHOSEN, Row.EXTERNAL) or seen.contested or (seen.row and not ours):
            yield BeginRelease(lease, Waits.ROW, ROW_CHANGED, policy.cooldown_ms, "cooldown")
        elif ours:
            yield Assert(lease)
        return
    if now.state == "open":
        if not lease.opened:
            yield Note(lease, "opened")
        if ours and ripe(lease, seen.at, policy):
            yield Rotate(lease)
        elif ours and cure_due(lease, seen.at, policy):
            yield Cure(lease)
        # The list reads open all through a reconnect loop (EVOLUTION.md, B8), so a lease that was seen down is not
        # applied by the list's word, nor its trouble over: the reconnect asks for the live state.
        unapplied = lease.applied is not Applied.YES and (
            lease.down or (lease.applied is Applied.NO and policy.restart)
        )
        if unapplied or lease.troubled_since is not None:
            yield Reconnect((lease,))
    elif now.state in ("close", "connecting"):
        # The list reads connecting only while a QR code is shown (EVOLUTION.md, 4): by a socket of before the row.
        pairs = now.state == "connecting" and not lease.opened and policy.restart and ours
        if lease.applied is Applied.NO and not lease.down and pairs:
            yield Reconnect((lease,))
        elif lease.applied is not Applied.YES and not lease.down:
            yield Note(lease, "down")
        if now.state == "close" and lease.opened:
            yield BeginRelease(
                lease,
                Waits.GRACE,
                DISCONNECTED,
                policy.cooldown_ms,
                "cooldown",
                grace_until=seen.at + policy.grace_ms,
            )


def _releasing(seen: Seen, lease: Lease, now: Observation, policy: Policy) -> Iterator[Action]:
    if lease.release_reason == DISCONNECTED and now.state == "unknown":
        return
    returned = lease.release_reason == DISCONNECTED and not lease.tail
    # The set of the lease that came after a tail moves the row; without such a one the row is to be cleared.
    replaced = lease.tail and seen.lease is not None and seen.lease.phase is not Phase.RELEASING
    if returned and (now.state == "open" or (now.state == "connecting" and lease.clear_begun_at is None)):
        yield CancelRelease(lease)
    elif lease.waits is Waits.GRACE:
        if lease.grace_until is None or lease.grace_until <= seen.at:
            yield BeginRelease(lease, Waits.ROW, DISCONNECTED, policy.cooldown_ms, "cooldown")
    elif lease.waits is Waits.ROW:
        if seen.row not in ("", lease.proxy_id):
            yield RowMoved(lease, seen.row)
        elif not replaced and not lease.stuck:
            yield Clear(lease)
    elif seen.row == lease.proxy_id and not replaced:
        yield Clear(lease)
    elif now.state == "close" and (lease.socket_gone or lease.down):
        yield Finish(lease, Evidence.MOVED)
    elif now.state == "close":
        yield Note(lease, "down")
    elif now.state in ("open", "connecting"):
        yield Reconnect((lease,))

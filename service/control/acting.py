"""What follows from a decision: written into the pool at once, or begun as an act of its instance."""

from __future__ import annotations

from collections.abc import Sequence

from service.control.absence import forget, verify
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
from service.control.acts import Acts
from service.control.assigning import assert_row, assign, probe, resume
from service.control.context import Context, unless_overtaken
from service.control.decide import Seen
from service.control.reconnecting import note_down, reconnect
from service.control.releasing import clear, closed, row_moved
from service.control.remedies import cure, replace, rotate
from service.evolution.models import Observation
from service.pool.models import Applied, Evidence, Lease, Phase, Waits
from service.pool.servers import ServerRecord


class Acting:
    """Begins what is to be done on one server. ``set_brake`` is what the last look read of it; ``waiting`` are the
    instances that it keeps from their proxies."""

    def __init__(self, context: Context, acts: Acts) -> None:
        self.context = context
        self.pool = context.pool
        self.acts = acts
        self.set_brake = False
        self.waiting: list[Observation] = []

    async def start(self, decisions: Sequence[tuple[Seen, Action]]) -> None:
        """What only the pool has to know is written at once; what calls Evolution runs as the instance's one act."""
        set_brake = self.set_brake
        for seen, action in decisions:
            match action:
                case Assign() if seen.observation is not None:
                    if set_brake:
                        self.waiting.append(seen.observation)
                    else:
                        self.acts.start(seen.observation.id, self._assign(seen.observation))
                case Resume(lease) if not set_brake:
                    self.acts.start(lease.instance, self._resume(lease))
                case Assert(lease) if not set_brake:
                    self.acts.start(lease.instance, self._assert(lease))
                case BeginRelease(lease, Waits.ROW):
                    self.acts.start(lease.instance, self._release(action))
                case CancelRelease(lease):
                    self.acts.start(lease.instance, self._take_back(lease))
                case Clear(lease):
                    self.acts.start(lease.instance, self.clear_and_let_go(lease))
                case Reconnect(leases):
                    self._reconnect(leases)
                case Note(lease, "down"):
                    self.acts.start_beside(lease.instance, note_down(self.context, lease))
                case Cure(lease) if not set_brake:
                    self.acts.start(lease.instance, self._cure(lease))
                case Rotate(lease) if not set_brake:
                    self.acts.start(lease.instance, self._rotate(lease))
                case Verify(lease):
                    self.acts.start(lease.instance, verify(self.context, lease))
                case RowMoved(lease, row):
                    self.acts.start(lease.instance, row_moved(self.context, lease, row))
                case Finish(lease, Evidence.MOVED):
                    self.acts.start(lease.instance, closed(self.context, lease))
                case _:
                    await unless_overtaken(self._note(seen.at, action))

    async def _note(self, at: int, action: Action) -> None:
        match action:
            case Note(lease, what):
                await self.pool.mark(lease, what, seen_at=at)
            case BeginRelease():
                await self._begin(action)
            case Finish(lease, evidence, rest_ms, rest_reason):
                await self.pool.finish_release(lease, evidence, rest_ms=rest_ms, rest_reason=rest_reason)
                await forget(self.context, lease.instance)
            case GiveUp(lease):
                await self.pool.abandon(lease, "unknown")
            case ExpireReservation(lease):
                await self.pool.expire_reservation(lease.server, str(lease.reservation))

    async def _begin(self, action: BeginRelease) -> None:
        await self.pool.begin_release(
            action.lease,
            action.waits,
            reason=action.reason,
            rest_ms=action.rest_ms,
            rest_reason=action.rest_reason,
            grace_until=action.grace_until,
            socket_gone=action.socket_gone,
        )

    async def _assign(self, observation: Observation) -> None:
        await assign(self.context, observation)
        await self.settle_in(observation.id)

    async def _assert(self, lease: Lease) -> None:
        if not await assert_row(self.context, lease):
            await replace(self.context, lease)
        await self.settle_in(lease.instance)

    async def _cure(self, lease: Lease) -> None:
        if await cure(self.context, lease):
            self._reconnect([lease], queued=True, cure=True)

    async def _rotate(self, lease: Lease) -> None:
        if await rotate(self.context, lease):
            await self.settle_in(lease.instance)

    async def _resume(self, lease: Lease) -> None:
        await resume(self.context, lease)
        await self.settle_in(lease.instance)

    async def _release(self, action: BeginRelease) -> None:
        await self._begin(action)
        await self.clear_and_let_go(action.lease)

    async def _take_back(self, lease: Lease) -> None:
        """A release is cancelled; if its row was being cleared, the lease is reserved again and its row written."""
        phase, _ = await self.pool.cancel_release(lease)
        kept = await self.pool.lease(lease.proxy_id)
        if phase == Phase.RESERVED and kept is not None:
            await self._resume(kept)

    async def settle_in(self, instance: str) -> None:
        """After a lease was confirmed: what it replaced has lost its row, and an open instance is to reconnect."""
        lease, tails = await self.pool.held_by(self.context.server, instance)
        if lease is None or lease.phase is not Phase.ACTIVE:
            return
        waiting = [lease] if self.context.policy.restart and lease.applied is Applied.NO else []
        for tail in tails:
            if tail.waits is Waits.ROW:
                await unless_overtaken(row_moved(self.context, tail, lease.proxy_id))
            moved = await self.pool.lease(tail.proxy_id)
            waiting += [moved] if moved is not None and moved.token == tail.token else []
        if waiting:
            self._reconnect(waiting, queued=True)

    async def clear_and_let_go(self, lease: Lease) -> None:
        """A release from ``row`` on, as far as it comes without waiting for a tick."""
        if await clear(self.context, lease):
            return
        held = await self.pool.lease(lease.proxy_id)
        if held is not None and held.token == lease.token and held.waits is Waits.SOCKET:
            self._reconnect([held])

    def _reconnect(self, leases: Sequence[Lease], *, queued: bool = False, cure: bool = False) -> None:
        """Beside the instance's act. The set half of the brake and ``next-connect`` stop policy's restarts, not a
        human's, and not the looking."""
        by_hand = any(lease.manual for lease in leases) and not cure
        restarts = by_hand or (self.context.policy.restart and not self.set_brake)
        act = reconnect(self.context, leases, restarts=restarts, cure=cure)
        self.acts.start_beside(leases[0].instance, act, queued=queued)

    async def probe(self) -> None:
        """While the set half is engaged: one set with the proxy that last succeeded, else the assignment of one waiting
        instance; a success lets go."""
        record = ServerRecord.parse(await self.pool.server(self.context.server))
        if not record.set_brake.engaged:
            return
        lease = await self.pool.lease(record.last_good) if record.last_good else None
        # As the instance's own act: a set beside a release would land after the clear.
        if lease and lease.server == self.context.server and lease.phase is Phase.ACTIVE and not lease.tail:
            await self.acts.alone(lease.instance, self.acts.guarded(probe(self.context, lease)))
        elif self.waiting:
            act = assign(self.context, self.waiting[0], probe=True)
            await self.acts.alone(self.waiting[0].id, self.acts.guarded(act))

"""One server under control: each tick observes it, decides for every instance, and starts what is to be done."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from service import messages
from service.control import brake as braking
from service.control.absence import forget, forget_absent, verify
from service.control.actions import (
    Action,
    Assert,
    Assign,
    BeginRelease,
    CancelRelease,
    Clear,
    ExpireReservation,
    Finish,
    GiveUp,
    Note,
    Reconnect,
    Resume,
    RowMoved,
    Verify,
)
from service.control.acts import Acts
from service.control.assigning import assert_row, assign, probe, resume
from service.control.context import Context, unless_overtaken
from service.control.decide import Seen, decide
from service.control.looking import Looking, seens_of
from service.control.reconnecting import reconnect
from service.control.releasing import clear, closed, row_moved
from service.errors import EvolutionError, EvolutionUnavailableError
from service.evolution.models import Observation
from service.pool.models import Applied, Evidence, Lease, Phase, Waits

logger = logging.getLogger(__name__)

_LONGEST_ACT = 45.0
"""Seconds that a set and its reading back can take."""


class ServerControl:
    """Observe → decide → act for one server. All state that must survive lives in the pool; what is kept here is who is
    busy, and the last sightings, so that only changes are written."""

    def __init__(self, context: Context, *, observe_only: bool = False) -> None:
        self.context = context
        self.pool = context.pool
        self.observe_only = observe_only
        self.last_poll_at: int | None = None
        self.error: EvolutionError | None = None
        self.listed: frozenset[str] = frozenset()
        """Ids of the last complete list."""
        self.siblings: Sequence[ServerControl] = ()
        """The controls of all servers; the same instance on two of them stops both."""
        self.planned: dict[str, int] = {}
        """In observe mode: what would have been done, by the action's name."""
        self._brake = braking.Brake()
        self._looking = Looking(context, adopts=not observe_only)
        self._waiting: list[Observation] = []
        self._set_brake = False
        self._rows_void = ""
        self.acts = Acts(context.server)
        self._epoch = ""

    # observing

    async def tick(self) -> None:
        """One look at the server and what follows from it. Raises what keeps it from looking."""
        context = self.context
        epoch = await self._epoch_of_reading()
        at = self.pool.clock.now()
        try:
            observations = await self._looking.fetch()
        except EvolutionError as error:
            self.error = error
            await self._judge(None)
            raise
        self.error = None
        self.listed = frozenset(observation.id for observation in observations)
        await self._refuse_a_double()
        look = await self._looking.compare(observations, at)
        await self.pool.mark_read(context.server, epoch=epoch, listed=len(observations))
        self.last_poll_at = at

        seens = seens_of(look, context.policy)
        engaged = await self._judge(seens)
        decisions = [(seen, action) for seen in seens for action in decide(seen, context.policy)]
        paused = await self.pool.paused()
        admitted = braking.admitted([action for _, action in decisions], engaged, paused=paused)
        allowed = {id(action) for action in admitted}
        decisions = [pair for pair in decisions if id(pair[1]) in allowed]
        if self.observe_only:
            self.planned = {}
            for _, action in decisions:
                name = type(action).__name__
                self.planned[name] = self.planned.get(name, 0) + 1
            return
        await self._start(decisions)
        if not engaged:
            self.acts.start("", forget_absent(self.context, look))

    async def _refuse_a_double(self) -> None:
        """One instance id on two servers is one Evolution server configured twice: nothing can be right for both.

        Raises :class:`EvolutionUnavailableError`, here and at the other server's next look.
        """
        for other in self.siblings:
            if other is not self and (shared := self.listed & other.listed):
                names = sorted((self.context.server, other.context.server))
                reason = (
                    f"servers {' and '.join(names)} both list instance {min(shared)}: one server is configured twice"
                )
                self.error = EvolutionUnavailableError(
                    server=self.context.server, call="fetch_instances", reason=reason
                )
                await self._judge(None)
                raise self.error

    async def _epoch_of_reading(self) -> str:
        """The epoch that the reading belongs to. In a new one the pool may have forgotten what was written, and after a
        forced release it doubts its rows: then all is written again. What was in flight before a new epoch is awaited
        first: a set that lands during the reading would escape it."""
        epoch, rows_void = await self.pool.epoch(), (await self.pool.server(self.context.server)).get("rows_void", "")
        if (epoch, rows_void) != (self._epoch, self._rows_void):
            self._looking.write_all()
        if epoch != self._epoch:
            await self.acts.idle(_LONGEST_ACT)
        self._epoch, self._rows_void = epoch, rows_void
        return epoch

    # the release half of the brake

    async def _judge(self, seens: Sequence[Seen] | None) -> bool:
        """Judges the reading (``None``: the server erred) and writes what changed; answers whether it is engaged."""
        server = self.context.server
        remembered = await self.pool.server(server)
        before = braking.Brake(
            remembered.get("release_brake") == "1",
            remembered.get("release_override") == "1",
            self._brake.good_ticks,
        )
        if seens is None:
            after, reason = braking.after_failure(before), f"the server erred: {self.error and self.error.code}"
        else:
            leased = [seen for seen in seens if seen.lease and not seen.lease.reservation]
            missing = sum(seen.observation is None and not seen.recreated for seen in leased)
            unexplained = sum(seen.unexplained and seen.observation is not None for seen in leased)
            after, reason = braking.after_reading(before, braking.Reading(len(leased), missing, unexplained))
        self._brake = after
        if after.engaged != before.engaged or after.overridden != before.overridden:
            await self.pool.brake(server, "release", engaged=after.engaged, reason=reason)
            code = "brake_engaged" if after.engaged else "brake_released"
            told = messages.text(code, self.context.locale, server=server)
            logger.warning(told, extra={"server": server, "reason": reason})
        return after.engaged

    # acting

    async def _start(self, decisions: Sequence[tuple[Seen, Action]]) -> None:
        """What only the pool has to know is written at once; what calls Evolution runs as the instance's one act."""
        set_brake = self._set_brake = (await self.pool.server(self.context.server)).get("set_brake") == "1"
        self._waiting = []
        for seen, action in decisions:
            match action:
                case Assign() if seen.observation is not None:
                    if set_brake:
                        self._waiting.append(seen.observation)
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
                case Verify(lease):
                    self.acts.start(lease.instance, verify(self.context, lease))
                case RowMoved(lease, row):
                    self.acts.start(lease.instance, row_moved(self.context, lease, row))
                case Finish(lease, Evidence.MOVED):
                    self.acts.start(lease.instance, closed(self.context, lease))
                case _:
                    await unless_overtaken(self._note(action))

    async def _note(self, action: Action) -> None:
        match action:
            case Note(lease, what):
                await self.pool.mark(lease, what)
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
        await assert_row(self.context, lease)
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

    def _reconnect(self, leases: Sequence[Lease], *, queued: bool = False) -> None:
        """Beside the instance's act. The set half of the brake stops restarts as well, but not a human's."""
        if not self._set_brake or any(lease.manual for lease in leases):
            self.acts.start_beside(leases[0].instance, reconnect(self.context, leases), queued=queued)

    async def probe(self) -> None:
        """While the set half is engaged: one set with the proxy that last succeeded, else the assignment of one waiting
        instance; a success lets go."""
        remembered = await self.pool.server(self.context.server)
        if remembered.get("set_brake") != "1" or self.observe_only:
            return
        last_good = remembered.get("last_good", "")
        lease = await self.pool.lease(last_good) if last_good else None
        # As the instance's own act: a set beside a release would land after the clear.
        if lease and lease.server == self.context.server and lease.phase is Phase.ACTIVE and not lease.tail:
            await self.acts.alone(lease.instance, self.acts.guarded(probe(self.context, lease)))
        elif self._waiting:
            act = assign(self.context, self._waiting[0], probe=True)
            await self.acts.alone(self._waiting[0].id, self.acts.guarded(act))

    async def stop(self, deadline: float) -> None:
        """Lets what is being sent finish within ``deadline`` seconds; what is left is resumed by the next start."""
        await self.acts.stop(deadline)

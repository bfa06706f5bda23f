"""One server under control: each tick observes it, decides for every instance, and starts what is to be done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from service import messages
from service.control import brake as braking
from service.control import evidence
from service.control.absence import forget_absent
from service.control.acting import Acting
from service.control.actions import Action
from service.control.acts import Acts
from service.control.context import Context
from service.control.decide import Seen, decide
from service.control.drift import Drift, drifts, seen_anew
from service.control.evidence import Suspicion
from service.control.looking import Looked, Looking, seens_of
from service.control.plan import counted, plan
from service.control.round import Round
from service.control.suspecting import suspect
from service.errors import EvolutionError, EvolutionUnauthorizedError, EvolutionUnavailableError
from service.evolution.models import Observation
from service.pool.servers import ServerRecord

logger = logging.getLogger(__name__)

_LONGEST_ACT = 45.0
"""Seconds that a set and its reading back can take."""

_PASSING = frozenset({408, 429})
"""What an ingress answers for a while, beside 5xx."""


class ServerControl:
    """Observe → decide → act for one server. All state that must survive lives in the pool; what is kept here is who is
    busy, and the last sightings, so that only changes are written."""

    def __init__(self, context: Context, *, observe_only: bool = False) -> None:
        self.context = context
        self.pool = context.pool
        self.observe_only = observe_only
        self.last_poll_at: int | None = None
        self.error: EvolutionError | None = None
        self.listed: set[str] = set()
        """Ids of the last complete list, and of those that were looked at by name since."""
        self.siblings: Sequence[ServerControl] = ()
        """The controls of all servers; the same instance on two of them stops both."""
        self.planned: dict[str, int] = {}
        """In observe mode: for how many instances each step of the plan is (:class:`service.control.plan.Step`)."""
        self.drift: Mapping[str, Drift] = {}
        """By id, what differed at the last look."""
        self._brake = braking.Brake()
        self._looking = Looking(context, adopts=not observe_only)
        self._rows_void = ""
        self._record = ServerRecord.parse({})
        self.acts = Acts(context.server)
        self.acting = Acting(context, self.acts)
        self.round = Round(context, self.acts)
        self._epoch = ""
        self._one_look = asyncio.Lock()

    # observing

    async def tick(self) -> None:
        """One look at the server and what follows from it. Raises what keeps it from looking."""
        async with self._one_look:
            await self._look_at_all()

    async def look_at(self, names: Sequence[str]) -> Looked:
        """A look at some instances by name, and what follows from it as from a tick, but for what only the whole list
        can tell: nobody is judged absent here, and what waits for the brake goes on waiting.

        Raises :class:`service.errors.EvolutionError` and :class:`service.errors.StoreUnavailableError`.
        """
        async with self._one_look:
            if self.error is not None or await self._pool_doubts():
                return Looked()
            at = self.pool.clock.now()
            found, looked = await self._looking.fetch_some(names)
            self.listed.update(one.id for one in found)
            look = await self._looking.compare_some([one for one in found if not self._is_doubled(one)], at)
            seens = [seen for seen in seens_of(look, self.context.policy) if not seen.contested]
            self.drift = seen_anew(self.drift, seens, self.context.policy)
            decisions = await self._decide(seens, True, Suspicion(cures=0, rotations=0))
            if not self.observe_only:
                await self.acting.start(decisions)
        if not self.observe_only:
            await self.round.look_at(seen.lease for seen in seens if seen.lease and seen.shown_open)
        return looked._replace(enough=looked.enough and len(seens) == len(found))

    async def _look_at_all(self) -> None:
        context = self.context
        epoch = await self._epoch_of_reading()
        at = self.pool.clock.now()
        try:
            observations = await self._looking.fetch()
        except EvolutionError as error:
            self._advise(error)
            self.error = error
            await self._judge(None)
            raise
        self.error = None
        self.listed = {observation.id for observation in observations}
        await self._refuse_a_double()
        look = await self._looking.compare(observations, at)
        if all(observation.row_listed for observation in observations):
            await self.pool.mark_read(context.server, epoch=epoch, listed=len(observations))
        self.last_poll_at = at

        seens = seens_of(look, context.policy)
        self.drift = drifts(seens, context.policy, self.drift)
        engaged = await self._judge(seens)
        suspicion = Suspicion()
        if not self.observe_only:
            since = self._record.suspect_since
            suspicion = await suspect(context, [seen.lease for seen in seens if seen.lease], since, at)
            self.round.watch(seen.lease for seen in seens if seen.lease and seen.shown_open)
        decisions = await self._decide(seens, engaged, suspicion)
        if self.observe_only:
            self.planned = counted(plan(context.server, seens, decisions, look.adopted, context.policy))
            return
        self.acting.waiting = []
        await self.acting.start(decisions)
        if not engaged:
            self.acts.start("", forget_absent(self.context, look))

    def _advise(self, error: EvolutionError) -> None:
        """Says what to look at where no waiting mends ``error``: once, until the server is read again."""
        server, code = self.context.server, _advice(error)
        if code and (self.error is None or code != _advice(self.error)):
            logger.error(messages.text(code, self.context.locale, server=server), extra={"server": server})

    async def _decide(self, seens: Sequence[Seen], engaged: bool, suspicion: Suspicion) -> list[tuple[Seen, Action]]:
        """What is to be done and may go on now."""
        decisions = [(seen, action) for seen in seens for action in decide(seen, self.context.policy)]
        paused = await self.pool.paused()
        admitted = braking.admitted([action for _, action in decisions], engaged, paused=paused)
        allowed = {id(action) for action in admitted}
        decisions = [pair for pair in decisions if id(pair[1]) in allowed]
        begun = evidence.admitted([action for _, action in decisions], suspicion)
        return [(seen, action) for (seen, _), action in zip(decisions, begun, strict=True) if action is not None]

    def _is_doubled(self, observation: Observation) -> bool:
        return any(observation.id in other.listed for other in self.siblings if other is not self)

    async def _pool_doubts(self) -> bool:
        """Whether the pool is in another epoch than at the last complete reading, or doubts its rows."""
        return await self._recall() != (self._epoch, self._rows_void)

    async def _recall(self) -> tuple[str, str]:
        """Reads what the pool remembers of the server; answers the epoch and the count of doubts about its rows."""
        self._record = ServerRecord.parse(await self.pool.server(self.context.server))
        self.acting.set_brake = self._record.set_brake.engaged
        return await self.pool.epoch(), self._record.rows_void

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
                await self._judge(None, f"configured_twice first={names[0]} second={names[1]}")
                raise self.error

    async def _epoch_of_reading(self) -> str:
        """The epoch that the reading belongs to. In a new one the pool may have forgotten what was written, and after a
        forced release it doubts its rows: then all is written again. What was in flight before a new epoch is awaited
        first: a set that lands during the reading would escape it."""
        epoch, rows_void = await self._recall()
        if (epoch, rows_void) != (self._epoch, self._rows_void):
            self._looking.write_all()
        if epoch != self._epoch:
            await self.acts.idle(_LONGEST_ACT)
        self._epoch, self._rows_void = epoch, rows_void
        return epoch

    # the release half of the brake

    async def _judge(self, seens: Sequence[Seen] | None, failure: str = "") -> bool:
        """Judges the reading (``None``: it failed, for the ``failure`` if it is known) and writes what changed; answers
        whether it is engaged."""
        server = self.context.server
        self.context.listed = seens is not None
        record = self._record
        before = braking.Brake(record.release_brake.engaged, record.release_override, self._brake.good_ticks)
        if seens is None:
            after = braking.after_failure(before)
            reason = failure or f"server_error error={self.error and self.error.code}"
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

    # while the set half of the brake is engaged

    async def probe(self) -> None:
        """See :meth:`Acting.probe`; nothing in observe mode."""
        if not self.observe_only:
            await self.acting.probe()

    async def stop(self, deadline: float) -> None:
        """Lets what is being sent finish within ``deadline`` seconds; what is left is resumed by the next start."""
        await self.acts.stop(deadline)


def _advice(error: EvolutionError) -> str:
    """The code of the message that says what to look at; empty where the server may recover by itself."""
    if isinstance(error, EvolutionUnauthorizedError):
        return "check_key"
    status = error.params.get("status")  # none: there was no answer
    foreign = isinstance(error, EvolutionUnavailableError) and status and status < 500 and status not in _PASSING
    return "check_address" if foreign else ""

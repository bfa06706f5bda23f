"""One server under control: each tick observes it, decides for every instance, and starts what is to be done."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.control import brake as braking
from service.control.actions import (
    Action,
    Assert,
    Assign,
    BeginRelease,
    CancelRelease,
    Clear,
    ExpireReservation,
    Finish,
    Note,
    Reconnect,
    Resume,
    RowMoved,
    Verify,
)
from service.control.acts import Acts
from service.control.assigning import assert_row, assign, owner_of, probe, resume
from service.control.context import Context, unless_overtaken
from service.control.decide import Seen, decide
from service.control.reconnecting import reconnect
from service.control.releasing import clear, row_moved, row_value
from service.errors import EvolutionError, EvolutionNotFoundError, EvolutionUnavailableError, RefusedError
from service.evolution.models import Observation
from service.pool.models import Applied, Claim, Evidence, Lease, Phase, Row, Sighting, Waits

logger = logging.getLogger(__name__)

_BATCH = 200
_FORGET_AT_ONCE = 20


@dataclass(slots=True)
class Look:
    """What one tick read: the list, and the pool's side of it, read after the list."""

    at: int
    observations: dict[str, Observation]
    leases: dict[str, Lease]
    tails: dict[str, list[Lease]]
    unmanaged: set[str]
    rows: dict[str, str] = field(default_factory=dict)
    """By instance, what :func:`row_value` makes of its row."""
    others: dict[str, Row] = field(default_factory=dict)
    """By instance, what the proxy of its row is to the pool where it is not the lease's."""


class ServerControl:
    """Observe → decide → act for one server. All state that must survive lives in the pool; what is kept here is who is
    busy, and the last sightings, so that only changes are written."""

    def __init__(self, context: Context, *, observe_only: bool = False) -> None:
        self.context = context
        self.pool = context.pool
        self.observe_only = observe_only
        self.last_poll_at: int | None = None
        self.error: EvolutionError | None = None
        self.planned: dict[str, int] = {}
        """In observe mode: what would have been done, by the action's name."""
        self._brake: braking.Brake | None = None
        self._seen: dict[str, Sighting] = {}
        self._waiting: list[Observation] = []
        self.acts = Acts(context.server)
        self._epoch = ""

    # observing

    async def tick(self) -> None:
        """One look at the server and what follows from it. Raises what keeps it from looking."""
        context = self.context
        epoch = await self._epoch_of_reading()
        at = self.pool.clock.now()
        try:
            observations = await self._list()
        except EvolutionError as error:
            self.error = error
            await self._judge(None)
            raise
        self.error = None
        look = Look(
            at,
            {observation.id: observation for observation in observations},
            await self.pool.leases_of(context.server),
            {},
            await self.pool.unmanaged(context.server),
            {observation.id: row_value(observation.row) for observation in observations},
        )
        for tail in await self.pool.tails_of(context.server):
            look.tails.setdefault(tail.instance, []).append(tail)
        if not self.observe_only:
            await self._adopt(look)
        await self._write_sightings(look)
        await self._look_up_rows(look)
        await self.pool.mark_read(context.server, epoch=epoch, listed=len(observations))
        self.last_poll_at = at

        seens = self._seens(look)
        engaged = await self._judge(seens)
        decisions = [(seen, action) for seen in seens for action in decide(seen, context.policy)]
        admitted = braking.admitted([action for _, action in decisions], engaged)
        allowed = {id(action) for action in admitted}
        decisions = [pair for pair in decisions if id(pair[1]) in allowed]
        if self.observe_only:
            self.planned = {}
            for _, action in decisions:
                name = type(action).__name__
                self.planned[name] = self.planned.get(name, 0) + 1
            return
        await self._start(decisions)
        await self._forget_absent(look)

    async def _epoch_of_reading(self) -> str:
        """The epoch that the reading belongs to. In a new one, what was in flight before is awaited first: a set that
        lands during the reading would escape it."""
        epoch = await self.pool.epoch()
        if self._epoch and epoch != self._epoch:
            await self.acts.idle()
        self._epoch = epoch
        return epoch

    async def _list(self) -> list[Observation]:
        observations = await self.context.client.fetch_instances()
        if any(not observation.row_listed for observation in observations):
            raise EvolutionUnavailableError(
                server=self.context.server, call="fetch_instances", reason="the list does not tell the proxies"
            )
        return observations

    async def _adopt(self, look: Look) -> None:
        """Rows without a lease: what they name becomes the instance's, where it can be."""
        claims = [
            Claim(
                observation.id,
                observation.name,
                look.rows[observation.id],
                owner=owner_of(self.context.server, observation),
                disc_at="" if observation.disconnection_at is None else str(observation.disconnection_at),
                opened=observation.state == "open",
            )
            for observation in look.observations.values()
            if observation.id not in look.leases
            and look.rows[observation.id] not in ("", "off")
            and self._manages(look, observation)
        ]
        for start in range(0, len(claims), _BATCH):
            part = claims[start : start + _BATCH]
            outcomes = await self.pool.adopt(self.context.server, part, seen_at=look.at)
            for claim, outcome in zip(part, outcomes, strict=True):
                if outcome.word == "ADOPTED":
                    lease = await self.pool.lease(outcome.proxy_id)
                    if lease is not None:
                        look.leases[claim.instance] = lease
                elif outcome.word == "HELD_ELSEWHERE":
                    look.others[claim.instance] = Row.HELD
                elif outcome.word == "EXTERNAL":
                    look.others[claim.instance] = Row.EXTERNAL

    async def _write_sightings(self, look: Look) -> None:
        """Writes what differs from what this process wrote last; after a restart that is everything, once."""
        sightings = {
            observation.id: Sighting(
                observation.id,
                observation.name,
                observation.state,
                observation.integration,
                self.context.policy.manages(observation),
                observation.owner or "",
                look.rows[observation.id],
                _address(observation),
                "" if observation.disconnection_code is None else str(observation.disconnection_code),
                "" if observation.disconnection_at is None else str(observation.disconnection_at),
            )
            for observation in look.observations.values()
        }
        changed = [sighting for key, sighting in sightings.items() if self._seen.get(key) != sighting]
        for start in range(0, len(changed), _BATCH):
            await self.pool.observe(self.context.server, changed[start : start + _BATCH], seen_at=look.at)
        self._seen = sightings

    async def _look_up_rows(self, look: Look) -> None:
        """Of rows that name another proxy than the lease, what that proxy is to the pool."""
        for key, lease in look.leases.items():
            row = look.rows.get(key, "")
            if row not in ("", "off", lease.proxy_id):
                look.others[key] = await self.pool.row_of(self.context.server, key, row)

    def _manages(self, look: Look, observation: Observation) -> bool:
        return observation.id not in look.unmanaged and self.context.policy.manages(observation)

    def _seens(self, look: Look) -> list[Seen]:
        ids_by_name = {observation.name: key for key, observation in look.observations.items()}
        seens = []
        for key in {**look.observations, **look.leases, **look.tails}:
            observation, lease = look.observations.get(key), look.leases.get(key)
            tails = look.tails.get(key, ())
            name = observation.name if observation else next(held.name for held in (lease, *tails) if held)
            seens.append(
                Seen(
                    look.at,
                    observation,
                    lease,
                    tuple(tails),
                    look.rows.get(key, ""),
                    look.others.get(key),
                    recreated=observation is None and name in ids_by_name,
                    managed=observation is not None and self._manages(look, observation),
                )
            )
        return seens

    # the release half of the brake

    async def _judge(self, seens: Sequence[Seen] | None) -> bool:
        """Judges the reading (``None``: the server erred) and writes what changed; answers whether it is engaged."""
        server = self.context.server
        remembered = await self.pool.server(server)
        before = braking.Brake(
            remembered.get("release_brake") == "1",
            remembered.get("release_override") == "1",
            self._brake.good_ticks if self._brake else 0,
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
        return after.engaged

    # acting

    async def _start(self, decisions: Sequence[tuple[Seen, Action]]) -> None:
        """What only the pool has to know is written at once; what calls Evolution runs as the instance's one act."""
        set_brake = (await self.pool.server(self.context.server)).get("set_brake") == "1"
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
                case Assert(lease):
                    self.acts.start(lease.instance, assert_row(self.context, lease))
                case BeginRelease(lease, Waits.ROW):
                    self.acts.start(lease.instance, self._release(action))
                case CancelRelease(lease):
                    self.acts.start(lease.instance, self._take_back(lease))
                case Clear(lease):
                    self.acts.start(lease.instance, self.clear_and_let_go(lease))
                case Reconnect(leases) if not set_brake:
                    self.acts.start_beside(leases[0].instance, reconnect(self.context, leases))
                case Verify(lease):
                    self.acts.start(lease.instance, self._verify(lease))
                case _:
                    await unless_overtaken(self._note(action))

    async def _note(self, action: Action) -> None:
        match action:
            case Note(lease, what):
                await self.pool.mark(lease, what)
            case BeginRelease():
                await self._begin(action)
            case RowMoved(lease, row):
                await row_moved(self.context, lease, row)
            case Finish(lease, evidence, rest_ms, rest_reason):
                await self.pool.finish_release(lease, evidence, rest_ms=rest_ms, rest_reason=rest_reason)
                if evidence is not Evidence.MOVED:
                    await self._forget(lease.instance)
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
        lease = await self.pool.lease_of(self.context.server, instance)
        if lease is None or lease.phase is not Phase.ACTIVE:
            return
        waiting = [lease] if self.context.policy.restart and lease.applied is Applied.NO else []
        for tail in await self.pool.tails_of(self.context.server):
            if tail.instance == instance:
                if tail.waits is Waits.ROW:
                    await unless_overtaken(row_moved(self.context, tail, lease.proxy_id))
                moved = await self.pool.lease(tail.proxy_id)
                waiting += [moved] if moved is not None and moved.token == tail.token else []
        if waiting:
            self.acts.start_beside(instance, reconnect(self.context, waiting))

    async def clear_and_let_go(self, lease: Lease) -> None:
        """A release from ``row`` on, as far as it comes without waiting for a tick."""
        if await clear(self.context, lease):
            return
        held = await self.pool.lease(lease.proxy_id)
        if held is not None and held.token == lease.token and held.waits is Waits.SOCKET:
            self.acts.start_beside(lease.instance, reconnect(self.context, [held]))

    async def probe(self) -> None:
        """While the set half is engaged: one set with the proxy that last succeeded; a success lets go."""
        remembered = await self.pool.server(self.context.server)
        if remembered.get("set_brake") == "1" and not self.observe_only:
            await probe(self.context, remembered.get("last_good", ""), self._waiting)

    async def stop(self, deadline: float) -> None:
        """Lets what is being sent finish within ``deadline`` seconds; what is left is resumed by the next start."""
        await self.acts.stop(deadline)

    async def _verify(self, lease: Lease) -> None:
        """An instance that the list does not hold is gone only if the server itself answers 404 for it."""
        try:
            await self.context.client.connection_state(lease.name)
        except EvolutionNotFoundError:
            await self.pool.finish_release(
                lease, Evidence.GONE, rest_ms=self.context.policy.orphan_rest_ms, rest_reason="orphan"
            )
            await self._forget(lease.instance)
        except EvolutionError as error:
            logger.info("absence not proved", extra={"instance": lease.name, "code": error.code})

    async def _forget_absent(self, look: Look) -> None:
        """Instances that hold nothing, are not listed and answer 404 are forgotten, a few a tick."""
        brake = self._brake
        if brake is not None and brake.engaged:
            return
        known = await self.pool.known(self.context.server)
        absent = [
            (name, key)
            for name, key in known.items()
            if key not in look.observations and key not in look.leases and key not in look.tails
        ]
        for name, key in absent[:_FORGET_AT_ONCE]:
            try:
                await self.context.client.connection_state(name)
            except EvolutionNotFoundError:
                await self._forget(key)
            except EvolutionError as error:
                logger.info("absence not proved", extra={"instance": name, "code": error.code})
                return

    async def _forget(self, instance: str) -> None:
        try:
            await self.pool.forget_instance(self.context.server, instance)
        except RefusedError as error:
            if error.code != "held":
                raise
            logger.debug("still held", extra={"instance": instance})


def _address(observation: Observation) -> str:
    """``host:port`` of the row for people; never credentials."""
    row = observation.row
    return f"{row.host}:{row.port}" if row is not None and row.enabled else ""

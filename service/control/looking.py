"""One look at a server: its list, held against the pool's leases, and written into the pool."""

from __future__ import annotations

from dataclasses import dataclass, field

from service.control.assigning import owner_of
from service.control.context import Context
from service.control.decide import Seen
from service.control.policy import Policy
from service.control.releasing import row_value
from service.errors import EvolutionUnavailableError
from service.evolution.models import Observation
from service.pool.models import Claim, Lease, Row, Sighting

_BATCH = 200


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

    def manages(self, observation: Observation, policy: Policy) -> bool:
        return observation.id not in self.unmanaged and policy.manages(observation)


class Looking:
    """Looks at one server. Keeps the sightings that it wrote last, so that only changes are written."""

    def __init__(self, context: Context, *, adopts: bool) -> None:
        self._client = context.client
        self._policy = context.policy
        self._pool = context.pool
        self._server = context.server
        self._adopts = adopts
        self._written: dict[str, Sighting] = {}

    def write_all(self) -> None:
        """The pool may have forgotten what was written: the next look writes everything."""
        self._written = {}

    async def fetch(self) -> list[Observation]:
        """The complete list with its rows. Raises :class:`service.errors.EvolutionError`."""
        observations = await self._client.fetch_instances()
        if any(not observation.row_listed for observation in observations):
            raise EvolutionUnavailableError(
                server=self._server, call="fetch_instances", reason="the list does not tell the proxies"
            )
        return observations

    async def compare(self, observations: list[Observation], at: int) -> Look:
        """Holds a list whose reading began at ``at`` against the pool: adopts what rows prove, writes what changed."""
        look = Look(
            at,
            {observation.id: observation for observation in observations},
            await self._pool.leases_of(self._server),
            {},
            await self._pool.unmanaged(self._server),
            {observation.id: row_value(observation.row) for observation in observations},
        )
        for tail in await self._pool.tails_of(self._server):
            look.tails.setdefault(tail.instance, []).append(tail)
        if self._adopts:
            await self._adopt(look)
        await self._write(look)
        await self._look_up_rows(look)
        return look

    async def _adopt(self, look: Look) -> None:
        """Rows without a lease: what they name becomes the instance's, where it can be."""
        claims = [
            claim_of(self._server, observation, look.rows[observation.id])
            for observation in look.observations.values()
            if observation.id not in look.leases
            and look.rows[observation.id] not in ("", "off")
            and look.manages(observation, self._policy)
        ]
        holders = {lease.proxy_id: key for key, lease in look.leases.items()}
        for start in range(0, len(claims), _BATCH):
            part = claims[start : start + _BATCH]
            outcomes = await self._pool.adopt(self._server, part, seen_at=look.at)
            adopted = await self._pool.leases_at([one.proxy_id for one in outcomes if one.word == "ADOPTED"])
            for claim, outcome in zip(part, outcomes, strict=True):
                holder = holders.get(outcome.proxy_id, "")
                if outcome.word == "ADOPTED":
                    look.leases.pop(holder, None)  # a reservation that the row has fulfilled
                    if lease := adopted.get(outcome.proxy_id):
                        look.leases[claim.instance] = lease
                elif outcome.word == "EXTERNAL":
                    look.others[claim.instance] = Row.EXTERNAL
                # A lease whose own instance's row names something else is about to end: the claimant keeps its row.
                elif outcome.word == "HELD_ELSEWHERE" and look.rows.get(holder, claim.row) == claim.row:
                    look.others[claim.instance] = Row.HELD

    async def _write(self, look: Look) -> None:
        """Writes what differs from what this process wrote last; after a restart that is everything, once."""
        sightings = {key: sighting_of(one, self._policy) for key, one in look.observations.items()}
        changed = [sighting for key, sighting in sightings.items() if self._written.get(key) != sighting]
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            if not await self._pool.observe(self._server, batch, seen_at=look.at):
                for sighting in batch:
                    del sightings[sighting.instance]
        self._written = sightings

    async def _look_up_rows(self, look: Look) -> None:
        """Of rows that name another proxy than the lease, what that proxy is to the pool."""
        for key, lease in look.leases.items():
            row = look.rows.get(key, "")
            if row not in ("", "off", lease.proxy_id):
                look.others[key] = await self._pool.row_of(self._server, key, row)


def seens_of(look: Look, policy: Policy) -> list[Seen]:
    """What :func:`decide` takes of each instance that is listed or holds something."""
    named_by: dict[str, set[str]] = {}
    for key, row in look.rows.items():
        named_by.setdefault(row, set()).add(key)
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
                contested=lease is not None and bool(named_by.get(lease.proxy_id, set()) - {key}),
                recreated=observation is None and name in ids_by_name,
                managed=observation is not None and look.manages(observation, policy),
            )
        )
    return seens


def claim_of(server: str, observation: Observation, row: str) -> Claim:
    """What the pool takes of an instance whose row names ``row``."""
    return Claim(
        observation.id,
        observation.name,
        row,
        owner=owner_of(server, observation),
        disc_at=str(observation.disconnection_at or ""),
        opened=observation.state == "open",
    )


def sighting_of(observation: Observation, policy: Policy) -> Sighting:
    """What the pool remembers of an instance."""
    return Sighting(
        observation.id,
        observation.name,
        observation.state,
        observation.integration,
        policy.manages(observation),
        observation.owner or "",
        row_value(observation.row),
        _address(observation),
        str(observation.disconnection_code or ""),
        str(observation.disconnection_at or ""),
    )


def _address(observation: Observation) -> str:
    """``host:port`` of the row for people; never credentials, even where somebody wrote them into the host."""
    row = observation.row
    return f"{row.host.rpartition('@')[2]}:{row.port}" if row is not None and row.enabled else ""

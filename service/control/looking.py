"""One look at a server: its list, or some instances by name, held against the pool's leases and written into it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service.control.context import Context
from service.control.decide import Seen
from service.control.plan import supposed
from service.control.policy import Policy
from service.control.releasing import row_value
from service.control.rows import Rows
from service.errors import EvolutionNotFoundError
from service.evolution.client import EvolutionClient
from service.evolution.models import Observation
from service.pool.batches import Claim, Sighting
from service.pool.models import Lease, Row

_BATCH = 200


class Looked(NamedTuple):
    """What a look by name came to: which names are there, which are not, and whether it was ``enough``. Only the whole
    list tells of absences, of names that passed to another id, and of rows that two instances share."""

    present: Sequence[str] = ()
    absent: Sequence[str] = ()
    enough: bool = False


@dataclass(slots=True)
class Look:
    """What one look read: the list, and the pool's side of it, read after the list. ``whole``: all that the server has
    and all that is held, not some instances with what they hold."""

    at: int
    observations: dict[str, Observation]
    leases: dict[str, Lease]
    tails: dict[str, list[Lease]]
    unmanaged: set[str]
    rows: dict[str, str] = field(default_factory=dict)
    """By instance, what :func:`row_value` makes of its row."""
    others: dict[str, Row] = field(default_factory=dict)
    """By instance, what the proxy of its row is to the pool where it is not the lease's."""
    adopted: set[str] = field(default_factory=set)
    """Instances that hold the lease of their row in this look only: it was not written."""
    contested: set[str] = field(default_factory=set)
    """Of some instances, those whose lease's proxy another row named when it was last seen; the whole list tells that
    itself."""
    reserved: set[str] = field(default_factory=set)
    """Names with an open reservation."""
    whole: bool = True

    def manages(self, observation: Observation, policy: Policy) -> bool:
        return observation.id not in self.unmanaged and policy.manages(observation)


class Looking:
    """Looks at one server. Keeps the sightings that it wrote last, so that only changes are written."""

    def __init__(self, context: Context, *, adopts: bool, writes: bool = True) -> None:
        """Without ``adopts`` rows are adopted in the look alone; without ``writes`` the pool is only read."""
        self._client = context.client
        self._policy = context.policy
        self._pool = context.pool
        self._server = context.server
        self._adopts = adopts
        self._writes = writes
        self._written: dict[str, Sighting] = {}
        self._rows = Rows(context)

    def write_all(self) -> None:
        """The pool may have forgotten what was written: the next look reads and writes everything."""
        self._written = {}
        self._rows.forget()

    async def fetch(self) -> list[Observation]:
        """The complete list with its rows, as far as they could be read. Raises
        :class:`service.errors.EvolutionError`."""
        return await self._rows.fill(await self._client.fetch_instances())

    async def fetch_some(self, names: Sequence[str]) -> tuple[list[Observation], Looked]:
        """Instances by name, and the names that are not there; asked for all at once. Raises
        :class:`service.errors.EvolutionError`."""
        found: list[Observation] = []
        absent: list[str] = []
        enough = True
        answers = await asyncio.gather(*(find_named(self._client, name) for name in names), return_exceptions=True)
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            known = await self._pool.instance_id(self._server, name)
            if answer is None:
                absent.append(name)
                enough = enough and known is None
            else:
                found.append(answer)
                enough = enough and known in (None, answer.id)
        return found, Looked([one.name for one in found], absent, enough)

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
        look.reserved = {lease.name for lease in look.leases.values() if lease.reservation}
        for tail in await self._pool.tails_of(self._server):
            look.tails.setdefault(tail.instance, []).append(tail)
        return await self._compared(look)

    async def compare_some(self, observations: Sequence[Observation], at: int) -> Look:
        """:meth:`compare` for instances asked for by name. Costs what these hold, not what the server does."""
        listed = {observation.id: observation for observation in observations}
        rows = {key: row_value(observation.row) for key, observation in listed.items()}
        look = Look(at, listed, {}, {}, set(), rows, whole=False)
        look.reserved = await self._pool.reserved_names(self._server)
        for key in listed:
            lease, tails = await self._pool.held_by(self._server, key)
            if lease is not None:
                look.leases[key] = lease
                if await self._pool.rows_naming(lease.proxy_id) - {lease.holder}:
                    look.contested.add(key)
            if tails:
                look.tails[key] = tails
            if await self._pool.is_unmanaged(self._server, key):
                look.unmanaged.add(key)
        return await self._compared(look)

    async def _compared(self, look: Look) -> Look:
        if self._adopts:
            await self._adopt(look)
        else:
            await self._suppose(look)
        if self._writes:
            await self._write(look)
        await self._look_up_rows(look)
        return look

    def _claims(self, look: Look) -> list[Claim]:
        """Rows without a lease."""
        return [
            claim_of(self._server, observation, look.rows[observation.id])
            for observation in look.observations.values()
            if observation.id not in look.leases
            and look.rows[observation.id] not in ("", "off")
            and look.manages(observation, self._policy)
        ]

    async def _suppose(self, look: Look) -> None:
        """:meth:`_adopt` in the look alone."""
        claims = self._claims(look)
        proxies = await self._pool.proxies_at({claim.row for claim in claims})
        holders = {lease.proxy_id: key for key, lease in look.leases.items()}
        for claim in claims:
            proxy = proxies.get(claim.row)
            lease = supposed(self._server, claim, proxy)
            holder = holders.get(claim.row, "")
            if holder in look.adopted:
                look.others[claim.instance] = Row.HELD
            elif isinstance(lease, Lease):
                look.leases.pop(holder, None)  # a reservation
                look.leases[claim.instance] = lease
                look.adopted.add(claim.instance)
                holders[claim.row] = claim.instance
            elif lease is not Row.HELD or (look.whole and look.rows.get(holder, claim.row) == claim.row):
                look.others[claim.instance] = lease

    async def _adopt(self, look: Look) -> None:
        """Rows without a lease: what they name becomes the instance's, where it can be."""
        claims = self._claims(look)
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
                # Some instances don't tell the holder's row.
                elif outcome.word == "HELD_ELSEWHERE" and look.whole and look.rows.get(holder, claim.row) == claim.row:
                    look.others[claim.instance] = Row.HELD

    async def _write(self, look: Look) -> None:
        """Writes what differs from what this process wrote last; after a restart that is everything, once."""
        known = {key: one for key, one in look.observations.items() if one.row_listed}
        sightings = {key: sighting_of(one, self._policy) for key, one in known.items()}
        changed = [sighting for key, sighting in sightings.items() if self._written.get(key) != sighting]
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            if not await self._pool.observe(self._server, batch, seen_at=look.at):
                for sighting in batch:
                    del sightings[sighting.instance]
                    self._written.pop(sighting.instance, None)
        if look.whole:
            self._written = sightings
        else:
            self._written.update(sightings)

    async def _look_up_rows(self, look: Look) -> None:
        """Of rows that name another proxy than the lease, what that proxy is to the pool."""
        for key, lease in look.leases.items():
            row = look.rows.get(key, "")
            if row not in ("", "off", lease.proxy_id):
                look.others[key] = await self._pool.row_of(self._server, key, row)


def seens_of(look: Look, policy: Policy) -> list[Seen]:
    """What :func:`decide` takes of each instance that is listed or holds something. One whose row could not be read is
    left alone, and so is a reservation for its name."""
    named_by: dict[str, set[str]] = {}
    for key, row in look.rows.items():
        named_by.setdefault(row, set()).add(key)
    ids_by_name = {observation.name: key for key, observation in look.observations.items()}
    unread = {observation.name for observation in look.observations.values() if not observation.row_listed}
    seens = []
    for key in {**look.observations, **look.leases, **look.tails}:
        observation, lease = look.observations.get(key), look.leases.get(key)
        if observation is not None and not observation.row_listed:
            continue
        tails = look.tails.get(key, ())
        name = observation.name if observation else next(held.name for held in (lease, *tails) if held)
        if lease is not None and lease.reservation and name in unread:
            continue
        seens.append(
            Seen(
                look.at,
                observation,
                lease,
                tuple(tails),
                look.rows.get(key, ""),
                look.others.get(key),
                contested=lease is not None
                and (key in look.contested or bool(named_by.get(lease.proxy_id, set()) - {key})),
                recreated=observation is None and name in ids_by_name,
                reserved=name in look.reserved,
                managed=observation is not None and look.manages(observation, policy),
            )
        )
    return seens


async def find_named(client: EvolutionClient, name: str) -> Observation | None:
    """What the server says of the instance of this name; ``None`` when it has none. Raises
    :class:`service.errors.EvolutionError` for anything else than a 404."""
    try:
        return await client.fetch_instance(name)
    except EvolutionNotFoundError:
        return None


def claim_of(server: str, observation: Observation, row: str) -> Claim:
    """What the pool takes of an instance whose row names ``row``."""
    return Claim(
        observation.id,
        observation.name,
        row,
        owner=observation.owner or "",
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

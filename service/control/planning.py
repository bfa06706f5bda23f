"""The plan of one server, read and not written: beside a service that may be running, or before there is one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from service.control.context import Context
from service.control.decide import decide
from service.control.drift import Drift, drifts
from service.control.looking import Look, Looking, seens_of
from service.control.plan import Planned, plan
from service.pool.models import Status
from service.pool.servers import ServerRecord


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What one look led to. ``drift`` is what differs, by id. ``named`` counts, by group, the free proxies that rows of
    this server name: they will be adopted or kept back, and are no candidates. ``braked`` are the halves of the brake
    that are engaged."""

    look: Look
    planned: list[Planned]
    drift: dict[str, Drift]
    named: Counter[str]
    braked: tuple[str, ...]


async def foresee(context: Context) -> Foreseen:
    """Reads the server and the pool; writes to neither.

    Raises :class:`service.errors.EvolutionError` and :class:`service.errors.StoreUnavailableError`.
    """
    pool, policy = context.pool, context.policy
    looking = Looking(context, adopts=False, writes=False)
    at = pool.clock.now()
    look = await looking.compare(await looking.fetch(), at)
    seens = seens_of(look, policy)
    decisions = [(seen, action) for seen in seens for action in decide(seen, policy)]
    known = await pool.proxies_at(set(look.rows.values()))
    record = ServerRecord.parse(await pool.server(context.server))
    return Foreseen(
        look,
        plan(context.server, seens, decisions, look.adopted, policy),
        drifts(seens, policy, {}),
        Counter(proxy.group for proxy in known.values() if proxy.status is Status.FREE),
        tuple(record.engaged),
    )

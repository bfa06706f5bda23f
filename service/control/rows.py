"""The rows of a server whose list does not tell them (version 1): each is asked for, remembered, and asked again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from service.control.context import Context
from service.errors import EvolutionError, EvolutionNotFoundError
from service.evolution.models import Observation, Row

logger = logging.getLogger(__name__)

_AT_ONCE = 8
_ROUND_MS = 240_000
"""Every row is read again in this time, a part of them at each look: with a poll interval of a minute or less, none
is older than five minutes."""

Held = tuple[tuple[str, int, int | None], ...]
"""Tells whether what an instance holds has changed: token, since and unknown_at of its lease and tails."""


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    held: Held
    row: Row | None


class Rows:
    """What ``GET /proxy/find`` last said of each instance of one server, by id, the oldest reading first.

    A row is asked for again when what its instance holds has changed since, in whatever process, and slowly and evenly
    in any case. A find that fails is no evidence. Neither is ``null`` by itself, which also comes while the server's DB
    is down (EVOLUTION.md, B2): news of that kind counts once the list is good again after it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, _Known] = {}
        self._asked_at = 0

    def forget(self) -> None:
        """What was read proves nothing any more."""
        self._known = {}

    async def fill(self, observations: list[Observation]) -> list[Observation]:
        """``observations`` with their rows. One whose row could not be read stays ``row_listed=False``.

        Raises :class:`~service.errors.EvolutionError` when the list is no longer good after a row was ``null``.
        """
        if all(one.row_listed for one in observations):
            return observations
        held = await self._held()
        listed = {one.id: one for one in observations}
        self._known = {
            key: known
            for key, known in self._known.items()
            if key in listed and (known.name, known.held) == (listed[key].name, held.get(key, ()))
        }
        due = [*(key for key in listed if key not in self._known), *self._oldest()]
        await self._ask([listed[key] for key in due], held)
        return [
            replace(one, row=self._known[one.id].row, row_listed=True) if one.id in self._known else one
            for one in observations
        ]

    async def _held(self) -> dict[str, Held]:
        pool, server = self._context.pool, self._context.server
        held: dict[str, Held] = {}
        for lease in (*(await pool.leases_of(server)).values(), *await pool.tails_of(server)):
            held[lease.instance] = (*held.get(lease.instance, ()), (lease.token, lease.since, lease.unknown_at))
        return held

    def _oldest(self) -> Sequence[str]:
        """As large a part of the known ones as the time since the last look is of the round."""
        now = self._context.pool.clock.now()
        passed, self._asked_at = now - self._asked_at, now
        part = min(len(self._known), -(-len(self._known) * passed // _ROUND_MS))
        return list(self._known)[:part]

    async def _ask(self, due: Iterable[Observation], held: dict[str, Held]) -> None:
        """Asks a few at a time; after as many failures the server is left alone until the next look."""
        waiting, nulls, failed = iter(due), list[Observation](), list[EvolutionError]()

        async def ask() -> None:
            for one in waiting:
                if len(failed) >= _AT_ONCE:
                    return
                try:
                    row = await self._context.client.find_proxy(one.name)
                except EvolutionNotFoundError:
                    self._postpone(one)  # listed, but not in memory: the list tells when it is gone
                    continue
                except EvolutionError as error:
                    failed.append(error)
                    continue
                if row is None and not self._known_as_null(one):
                    nulls.append(one)
                elif row is None or row.belongs_to(one.id):
                    self._learn(one, row, held)

        await asyncio.gather(*(ask() for _ in range(_AT_ONCE)))
        if failed:
            told = {"server": self._context.server, "code": failed[0].code, "failed": len(failed)}
            logger.warning("rows could not be read", extra=told)
        if nulls:
            await self._context.client.fetch_instances()
            for one in nulls:
                self._learn(one, None, held)

    def _known_as_null(self, one: Observation) -> bool:
        return one.id in self._known and self._known[one.id].row is None

    def _postpone(self, one: Observation) -> None:
        if one.id in self._known:
            self._known[one.id] = self._known.pop(one.id)

    def _learn(self, one: Observation, row: Row | None, held: dict[str, Held]) -> None:
        self._known.pop(one.id, None)
        self._known[one.id] = _Known(one.name, held.get(one.id, ()), row)

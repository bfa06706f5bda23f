"""The slow round over the live states of leased instances: it finds what the list hides (EVOLUTION.md, B8)."""

from __future__ import annotations

import asyncio
import logging
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice

from service.control.acts import Acts
from service.control.context import Context
from service.control.live import live_state, note_state
from service.errors import EvolutionError, EvolutionNotFoundError
from service.pool.models import Lease

logger = logging.getLogger(__name__)

_PERIOD_MS = 240_000
"""Within five minutes, with a minute to spare for a server that is slow for a while."""
_FEW = 40
_FEW_PERIOD_MS = 60_000
"""So few are read within a minute: so that most of a small server is known before the first evidence is complete, and
the server is suspected in time."""
_HASTENED = 25
"""Of those that are to be read out of their turn, at one step: when a network fails, so many are known to hang before
the first evidence is complete that it is the suspect, and not one proxy after the other."""
_AHEAD = 10
"""For each that is found not open so many are read ahead of their time: where many hang, the number that is known grows
faster than the evidence against the first."""
_LONGEST_STEP_MS = 5_000
"""A step catches up with no more than this, so that a pause ends in no burst."""


class Round:
    """Reads each of the ``watch``-ed instances once in its period, evenly; in memory, it begins anywhere.

    Instances with an act under way are left to it, and those in trouble to the looks of each tick.
    """

    def __init__(self, context: Context, acts: Acts) -> None:
        self._context = context
        self._acts = acts
        self._leases: dict[str, Lease] = {}
        self._ids: list[str] = []
        self._by_name: dict[str, str] = {}
        self._hastened: dict[str, None] = {}
        self._cursor = ""
        self._due = 0.0
        self._ahead = 0
        self._stepped_at: int | None = None

    def watch(self, leases: Iterable[Lease]) -> None:
        """From now on these are read: active leases whose instances the last list shows open."""
        self._leases = {lease.instance: lease for lease in leases}
        self._ids = sorted(self._leases)
        self._by_name = {lease.name: lease.instance for lease in self._leases.values()}

    def hasten(self, names: Iterable[str]) -> None:
        """The next steps read these as well, because something is said to have happened. Others than those that are
        watched are passed over."""
        self._hastened.update((self._by_name[name], None) for name in names if name in self._by_name)

    async def step(self) -> None:
        """Reads as many as are due since the last step, a few at a time. Nothing while the list can't be read."""
        if not self._context.listed:
            return
        now = self._context.pool.clock.now()
        passed = min(now - (now if self._stepped_at is None else self._stepped_at), _LONGEST_STEP_MS)
        self._stepped_at = now
        number = len(self._ids)
        self._due += passed * max(number / _PERIOD_MS, min(number, _FEW) / _FEW_PERIOD_MS)
        turns, ahead = min(int(self._due), number), min(self._ahead, _HASTENED)
        self._due = min(self._due - turns, 1.0)
        self._ahead -= ahead
        following = {one.instance: one for one in self._following(min(turns + ahead, number))}
        hastened = list(islice(self._hastened, _HASTENED))
        for one in hastened:
            del self._hastened[one]
        following |= {one: self._leases[one] for one in hastened if one in self._leases}
        await asyncio.gather(*(self._read(lease) for lease in self._unseen(following.values())))

    async def look_at(self, leases: Iterable[Lease]) -> None:
        """Reads some out of their turn, because something is said to have happened."""
        if self._context.listed:
            await asyncio.gather(*(self._read(lease) for lease in self._unseen(leases)))

    def _following(self, number: int) -> list[Lease]:
        """The next ones in turn."""
        start = bisect_right(self._ids, self._cursor)
        ids = (self._ids[start:] + self._ids[:start])[:number]
        if ids:
            self._cursor = ids[-1]
        return [self._leases[one] for one in ids]

    def _unseen(self, leases: Iterable[Lease]) -> list[Lease]:
        """Those that are not being looked at anyway."""
        return [one for one in leases if one.troubled_since is None and not self._acts.busy(one.instance)]

    async def _read(self, lease: Lease) -> None:
        context = self._context
        try:
            at, state = await live_state(context, lease.name)
        except EvolutionNotFoundError:
            return  # the list tells of absence
        except EvolutionError as error:
            logger.debug("a live state was not read", extra={"instance": lease.name, "code": error.code})
            return
        if context.listed:
            await note_state(context, lease, at, state)
            if state in ("close", "connecting"):
                self._ahead = min(self._ahead + _AHEAD, len(self._ids))

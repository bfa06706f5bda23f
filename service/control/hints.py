"""Hints from outside that an instance may have changed: many become few looks, and none is lost.

A hint is never believed. It is unsigned, repeated and out of order (EVOLUTION.md, B28); it only says where to look.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.background import Clock, Loop
from service.control.looking import Looked
from service.errors import EvolutionError

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.25
"""Seconds between the first two looks at an instance. Pairing ends with a lost and a new connection a moment apart; the
proxy is to be set within a second of the second."""
LONGEST_PAUSE = 30.0
QUIET = 60.0
"""Seconds without a hint after which an instance begins anew."""
AGAIN_PAUSE = 1.0
"""Seconds before a name that was absent is looked at again because one of that name is said to be created."""
NAMES = 10_000
AT_ONCE = 5
"""Instances asked for by name in one go, and refilled at one a second: beyond it the whole list is cheaper
(EVOLUTION.md, 12)."""
LIST_PAUSE = 5.0
"""Seconds between two whole lists that hints ask for."""

CREATED = "instance.create"
EVENTS = frozenset(
    {CREATED, "instance.delete", "connection.update", "status.instance", "logout.instance", "remove.instance"}
)
"""Events that say that an instance may have changed."""
QR_EVENT = "qrcode.updated"
"""Worth a look only where an instance gets its proxy while its QR code is shown."""


class Due(NamedTuple):
    """Which instances are to be looked at now, and whether the whole list is. ``rest``: those that are too many to be
    looked at by name, of which the list hides a reconnect loop (EVOLUTION.md, B8)."""

    names: Sequence[str] = ()
    whole: bool = False
    rest: Sequence[str] = ()


@dataclass(slots=True)
class _Hinted:
    hinted_at: float
    pause: float = 0.0
    looked_at: float = 0.0
    due: float | None = None
    absent: bool = False


class Schedule:
    """When which instance is to be looked at. Pure: times are the caller's seconds, never going back.

    The first hint of a quiet instance is due at once. As long as hints go on coming, the pauses between its looks
    double from :data:`FIRST_PAUSE` to :data:`LONGEST_PAUSE`; a hint within a pause is due at its end. What is too much
    for looks by name becomes one whole list, at most one in :data:`LIST_PAUSE`. Memory is bounded by :data:`NAMES`.
    """

    def __init__(self) -> None:
        self._hinted: dict[str, _Hinted] = {}
        """By name, the one hinted at last at the end."""
        self._line: list[tuple[float, str]] = []
        self._list_wanted = False
        self._listed_at = float("-inf")
        self._left = float(AT_ONCE)
        self._filled_at = 0.0

    def __len__(self) -> int:
        return len(self._hinted)

    def hint(self, name: str, now: float, *, created: bool = False) -> float | None:
        """Answers when to :meth:`take` because of this hint; ``None`` when an earlier one has seen to it."""
        self._forget_quiet(now)
        hinted = self._hinted.pop(name, None)
        if hinted is None:
            if len(self._hinted) >= NAMES:
                self.want_list()
                return now
            hinted = _Hinted(now)
        elif hinted.due is None and now - hinted.hinted_at >= QUIET:
            hinted = _Hinted(now)
        self._hinted[name] = hinted
        hinted.hinted_at = now
        due = max(now, hinted.looked_at + hinted.pause)
        if created and hinted.absent:
            due = min(due, max(now, hinted.looked_at + AGAIN_PAUSE))
        if hinted.due is not None and hinted.due <= due:
            return None
        hinted.due = due
        heapq.heappush(self._line, (due, name))
        return due

    def take(self, now: float) -> Due:
        """What is due. The caller looks, or calls :meth:`want_list`; nothing of it comes again without a new hint."""
        names: list[str] = []
        rest: list[str] = []
        while self._line and self._line[0][0] <= now:
            due, name = heapq.heappop(self._line)
            hinted = self._hinted.get(name)
            if hinted is None or hinted.due != due:
                continue  # it was brought forward
            hinted.due, hinted.looked_at = None, now
            hinted.pause = min(2 * hinted.pause, LONGEST_PAUSE) or FIRST_PAUSE
            names.append(name)
        self._left = min(AT_ONCE, self._left + now - self._filled_at)
        self._filled_at = now
        if len(names) > self._left:
            self.want_list()
            names, rest = [], names
        self._left -= len(names)
        whole = self._list_wanted and now >= self._listed_at + LIST_PAUSE
        if whole:
            self._list_wanted, self._listed_at = False, now
        return Due(names, whole, rest)

    def want_list(self) -> None:
        """What was taken could not be looked at by name."""
        self._list_wanted = True

    def absent(self, name: str) -> None:
        """No such instance. A deleted one may live on and send events for hours (EVOLUTION.md, B15), so the next look
        waits for the longest pause."""
        if hinted := self._hinted.get(name):
            hinted.absent, hinted.pause = True, LONGEST_PAUSE

    def present(self, name: str) -> None:
        """It is there; after it was :meth:`absent` it begins anew."""
        if (hinted := self._hinted.get(name)) and hinted.absent:
            hinted.absent, hinted.pause = False, FIRST_PAUSE

    def _forget_quiet(self, now: float) -> None:
        while self._hinted:
            name, hinted = next(iter(self._hinted.items()))
            if hinted.due is not None or now - hinted.hinted_at < QUIET:
                return
            del self._hinted[name]


class Hints:
    """The hints about one server, and the loop that follows them.

    ``look`` looks at some instances by name, ``look_at_all`` has the whole list read soon, ``look_live`` the live
    states of those that are too many for ``look``. What a look can't tell, or fails to, is left to the list.
    """

    def __init__(
        self,
        server: str,
        look: Callable[[Sequence[str]], Awaitable[Looked]],
        look_at_all: Callable[[], None],
        look_live: Callable[[Sequence[str]], None],
        *,
        events: frozenset[str] = EVENTS,
        clock: Clock | None = None,
    ) -> None:
        self.received = 0
        """Events of every kind since the start."""
        self.ignored = 0
        """Those of them that say nothing about an instance's connection."""
        self.last_at: int | None = None
        """When the last one came, in ms."""
        self.loop = Loop(f"hints:{server}", 1.0, self.follow, clock=clock)
        self._server = server
        self._look = look
        self._look_at_all = look_at_all
        self._look_live = look_live
        self._events = events
        self._clock = clock or Clock()
        self._schedule = Schedule()

    def hint(self, name: str, event: str, at: int) -> None:
        """Something may have happened to the instance of this name, at ``at`` ms. Never waits; costs the same however
        often it is called."""
        self.received += 1
        self.last_at = at
        if event not in self._events:
            self.ignored += 1
            return
        now = self._clock.now()
        due = self._schedule.hint(name, now, created=event == CREATED)
        if due is not None:
            asyncio.get_running_loop().call_later(due - now, self.loop.wake)

    async def follow(self) -> None:
        """Looks at what is due. Raises :class:`service.errors.EvoproxyError`, but none of Evolution's."""
        names, whole, rest = self._schedule.take(self._clock.now())
        self._look_live(rest)
        if whole:
            self._look_at_all()
        if names:
            await self._look_by_name(names)

    async def _look_by_name(self, names: Sequence[str]) -> None:
        looked = Looked()
        try:
            looked = await self._look(names)
        except EvolutionError as error:
            logger.info("a look failed; the list will tell", extra={"server": self._server, "code": error.code})
        finally:
            if not looked.enough:
                self._schedule.want_list()
        for name in looked.present:
            self._schedule.present(name)
        for name in looked.absent:
            self._schedule.absent(name)

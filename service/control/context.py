"""What every act on one server shares."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from service.control.acquiring import Acquiring
from service.control.pacing import Backoff, Slots, Streaks, TokenBucket
from service.control.policy import Policy
from service.errors import RefusedError
from service.evolution.client import EvolutionClient
from service.messages import Locale
from service.pool.pool import Pool

logger = logging.getLogger(__name__)

_OVERTAKEN = frozenset({"stale", "wrong_phase", "no_reservation", "stale_sight"})


async def unless_overtaken(step: Awaitable[object]) -> None:
    """One step of an act. That another act, human or replica has changed the lease meanwhile is no error: the token has
    kept this step harmless, and the next tick looks again."""
    try:
        await step
    except RefusedError as error:
        if error.code not in _OVERTAKEN:
            raise
        logger.debug("overtaken", extra={"code": error.code, "details": error.params.get("details")})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long acts try, in seconds or times. Tests make it shorter; none of it changes what is done."""

    set_attempts: int = 2
    """Sets without an answer before the proxy is given up as ``set_unknown``."""
    read_backs: tuple[float, ...] = (0.0, 0.1, 0.4)
    """Pauses before each reading back: the save happens after the answer (EVOLUTION.md, 7)."""
    other_proxies: int = 5
    """Proxies tried in a row for one instance before it waits for the next tick."""
    first_backoff: float = 1.0
    longest_backoff: float = 30.0
    watch_for: float = 20.0
    """How long a restarted instance is watched until it is open again."""
    glances: tuple[float, ...] = (0.1,) * 10
    """Pauses between looks at an instance that is not open, before it is restarted: one in a reconnect loop, some 30
    attempts a second (EVOLUTION.md, B9), is seen closed in one of them."""
    down_within: float = 3.0
    """How long of that it may go on reading open: then the moment was missed, or nothing happened."""
    restart_again: tuple[float, float] = (30.0, 600.0)
    """After a restart that did nothing, as with a false open (EVOLUTION.md, B11): seconds until the next, doubled each
    time up to the second figure."""
    watch_every: tuple[float, ...] = (0.01,) * 60 + (0.05,) * 20 + (0.25,)
    """Pauses between looks at a restarted instance; the last one goes on. It is closed for about 0.1 s
    (EVOLUTION.md, 6), so the first looks are close together."""


@dataclass(slots=True)
class Context:
    """One server's client, pace and policy, and the pool. ``sleep`` is the tests' handle on time."""

    server: str
    client: EvolutionClient
    pool: Pool
    policy: Policy
    sets: Slots
    restarts: TokenBucket
    patience: Patience = field(default_factory=Patience)
    locale: Locale = "pt-BR"
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    backoff: Backoff = field(init=False)
    acquiring: Acquiring = field(init=False)
    attempts: Streaks = field(default_factory=Streaks)
    """Sets under one lease without a believable outcome."""
    looks: Slots = field(default_factory=lambda: Slots(4))
    """Readings of live states that no act is waiting for."""
    cures: Slots = field(default_factory=lambda: Slots(4))
    """Sets that cure, so that silent proxies never hold up all sets."""
    refusals: Streaks = field(default_factory=Streaks)
    """Times in a row that Evolution refused to write the row of a lease again."""
    unmoved: dict[str, tuple[str, float, int]] = field(default_factory=dict)
    """By holder, the token of the lease for which it was restarted and stayed open, the pause in s that this was worth,
    and its end in ms: one that never moves must not take the turns of those that would."""
    listed: bool = True
    """Whether the last list was read: while it errs nothing is restarted (EVOLUTION.md, B11)."""
    short: dict[str, str] = field(default_factory=dict)
    """By holder, the token of a lease for which it was told that no proxy is free to rotate to."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.patience.first_backoff, self.patience.longest_backoff)
        self.acquiring = Acquiring(self.pool, self.server)

    def forget(self, holder: str) -> None:
        """The instance is gone."""
        self.backoff.succeeded(holder)
        self.attempts.end(holder)
        self.refusals.end(holder)
        self.unmoved.pop(holder, None)
        self.short.pop(holder, None)

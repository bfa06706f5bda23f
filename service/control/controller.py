"""All servers under control: their loops, and the pool's own periodic work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

from service.background import Loop
from service.control.context import Context, Patience
from service.control.hints import EVENTS, QR_EVENT, Hints
from service.control.pacing import Slots, TokenBucket
from service.control.policy import Policy
from service.control.server import ServerControl
from service.errors import RefusedError
from service.evolution.client import EvolutionClient
from service.pool.pool import Pool
from service.settings import Settings

logger = logging.getLogger(__name__)

PROBE_INTERVAL = 10.0
ROUND_INTERVAL = 1.0
CLOCK_INTERVAL = 60.0
SWEEP_INTERVAL = 1.0
_SWEEP_LIMIT = 200


class Controller:
    """Keeps every server's instances and the pool in step. One slow or dead server never delays another."""

    def __init__(
        self,
        pool: Pool,
        clients: Mapping[str, EvolutionClient],
        settings: Settings,
        *,
        policy: Policy | None = None,
        patience: Patience | None = None,
    ) -> None:
        """``policy`` and ``patience`` are the tests' handles; they follow from the settings otherwise."""
        self.pool = pool
        self.settings = settings
        self.servers = {
            name: ServerControl(
                Context(
                    server=name,
                    client=client,
                    pool=pool,
                    policy=policy or Policy.of(settings),
                    sets=Slots(settings.sets_in_flight),
                    restarts=TokenBucket(settings.restart_rate, settings.restart_burst),
                    patience=patience or Patience(),
                    locale=settings.locale,
                ),
                observe_only=settings.mode == "observe",
            )
            for name, client in clients.items()
        }
        self.hosts = {server.name: urlsplit(server.base_url).netloc.rpartition("@")[2] for server in settings.servers}
        """Host and port by server, for people."""
        for server in self.servers.values():
            server.siblings = tuple(self.servers.values())
        self.polls = {name: Loop(f"poll:{name}", settings.poll_interval, self._tick_of(name)) for name in self.servers}
        events = EVENTS | {QR_EVENT} if settings.assign_on == "connecting" else EVENTS
        self.hints = {
            name: Hints(name, one.look_at, self.polls[name].wake, one.round.hasten, events=events)
            for name, one in self.servers.items()
        }
        self._probes = [Loop(f"probe:{name}", PROBE_INTERVAL, one.probe) for name, one in self.servers.items()]
        self._rounds = [Loop(f"round:{name}", ROUND_INTERVAL, one.round.step) for name, one in self.servers.items()]
        self._clock = Loop("clock", CLOCK_INTERVAL, self._measure)
        self._sweep = Loop("sweep", SWEEP_INTERVAL, self._sweep_due)

    @property
    def loops(self) -> Sequence[Loop]:
        hints = [one.loop for one in self.hints.values()]
        return [*self.polls.values(), *hints, *self._rounds, *self._probes, self._clock, self._sweep]

    async def start(self) -> None:
        """Says which servers there are and begins to look. Raises :class:`service.errors.StoreUnavailableError`."""
        await self.configure()
        for loop in self.loops:
            loop.start()

    async def stop(self, deadline: float = 7.0) -> None:
        """Ends within ``deadline`` seconds: what is being sent may finish, the rest is resumed by the next start."""
        ends = asyncio.get_running_loop().time() + deadline
        await asyncio.gather(*(loop.stop(deadline) for loop in self.loops))
        left = max(0.0, ends - asyncio.get_running_loop().time())
        await asyncio.gather(*(server.stop(left) for server in self.servers.values()))

    async def configure(self) -> None:
        await self.pool.configure(list(self.servers), events_max=self.settings.events_max)

    def server(self, name: str) -> ServerControl:
        """Raises :class:`RefusedError` (not_configured)."""
        if name not in self.servers:
            raise RefusedError("not_configured", server=name)
        return self.servers[name]

    def look_soon(self, name: str) -> None:
        """The server is polled as soon as possible; any number of calls before that are one."""
        self.polls[name].wake()

    def _tick_of(self, name: str) -> Callable[[], Awaitable[None]]:
        async def tick() -> None:
            try:
                await self.servers[name].tick()
            except RefusedError as error:
                if error.code != "not_configured":
                    raise
                # The pool was emptied under a running service: say again which servers there are.
                await self.configure()
                await self.servers[name].tick()

        return tick

    async def _measure(self) -> None:
        await self.pool.clock.measure(self.pool.redis)

    async def _sweep_due(self) -> None:
        while await self.pool.sweep(limit=_SWEEP_LIMIT):
            logger.debug("more is due")

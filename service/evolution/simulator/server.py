"""One simulated Evolution API server on loopback."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from service.evolution.simulator.app import HttpApi
from service.evolution.simulator.calls import Calls
from service.evolution.simulator.concurrency import Tasks
from service.evolution.simulator.connector import Sleep
from service.evolution.simulator.paces import Paces
from service.evolution.simulator.sockets import Sockets
from service.evolution.simulator.warts import Warts
from service.evolution.simulator.webhooks import Retries, Webhooks
from service.evolution.simulator.world import World

_HOST = "127.0.0.1"


class Simulator(World):
    """A :class:`World` that is served: ``async with Simulator() as sim: sim.url, sim.api_key``.

    It contacts no proxy and, but for the webhooks, no one at all. Several may run at once, each with its own key; give
    them one ``sockets`` to have a proxy shared between servers seen as well. Port 0 is any free one. ``webhook_url``
    is the global webhook and may be set later; ``seed`` fixes what is random. All delays of the simulated world go
    through ``sleep``, all times it shows come from ``now`` (epoch seconds): whoever drives both decides how fast an
    hour passes. Only the time limits of webhooks that are being posted are real.
    """

    def __init__(
        self,
        *,
        api_key: str = "simulated-key",
        port: int = 0,
        webhook_url: str | None = None,
        webhook_by_events: bool = True,
        warts: Warts | None = None,
        paces: Paces | None = None,
        retries: Retries | None = None,
        sockets: Sockets | None = None,
        seed: int | None = None,
        sleep: Sleep = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        warts, tasks, rng = warts or Warts(), Tasks(), random.Random(seed)
        self._webhooks = Webhooks(
            webhook_url,
            by_events=webhook_by_events,
            server_url=lambda: self.url,
            warts=warts,
            retries=retries or Retries(),
            tasks=tasks,
            sleep=sleep,
            rng=rng,
            now=now,
        )
        super().__init__(
            emit=self._webhooks.emit, sleep=sleep, tasks=tasks, warts=warts, paces=paces, sockets=sockets, now=now
        )
        self._http = HttpApi(self, api_key=api_key, rng=rng)
        self._port = port
        self._runner = web.ServerRunner(web.Server(self._http, access_log=None), shutdown_timeout=0.1)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}"

    @property
    def api_key(self) -> str:
        """The global key; another one may be set at any time."""
        return self._http.api_key

    @api_key.setter
    def api_key(self, key: str) -> None:
        self._http.api_key = key

    @property
    def webhook_url(self) -> str | None:
        return self._webhooks.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self._webhooks.url = url

    @property
    def calls(self) -> Calls:
        return self._http.calls

    def unload(self) -> None:
        super().unload()
        self._webhooks.lose()

    async def start(self) -> None:
        """Listen. Raises ``OSError`` if the port is taken."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """End the server, its calls and its tasks. Raises ``ExceptionGroup`` with what failed in the background."""
        self.release()
        await self._runner.cleanup()
        self.unload()
        try:
            await self.tasks.close()
        finally:
            await self._webhooks.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

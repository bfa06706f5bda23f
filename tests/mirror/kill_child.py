"""The mirror that gets killed: each fork is one life of a mirror, which tells a FIFO its process id and, if it comes to
that, that it lived."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import TextIO

from service.mirror.database import open_database
from service.mirror.mirror import Mirror
from service.pool.pool import open_pool
from tests.integration.awaits import trace
from tests.lua.stage import MovedClock
from tests.nursery import LONGEST, fork_each

LIVED = "lived"


@dataclass(frozen=True, slots=True)
class Order:
    """``moment``: which of the moments at which an await begins or ends is the last one; 0: none. ``now`` in ms.
    ``forever``: go on until killed from outside."""

    fifo: str
    redis_url: str
    pool: str
    database_url: str
    batch: int
    now: int
    moment: int = 0
    forever: bool = False


class Life:
    """One life of a mirror, from its start to its violent end."""

    def __init__(self, order: Order, told: TextIO) -> None:
        self._order = order
        self._told = told
        self._moments = 0
        self._watching = False

    async def run(self) -> None:
        """Returns if nothing killed it before all was mirrored."""
        loop = asyncio.get_running_loop()
        trace(loop, lambda _at, _moment: self._count())
        async with asyncio.timeout(LONGEST):
            await loop.create_task(self._live())

    async def _live(self) -> None:
        order = self._order
        async with open_pool(order.redis_url, order.pool) as pool, open_database(order.database_url) as engine:
            pool.clock = MovedClock(order.now)
            mirror = Mirror(pool, engine, batch=order.batch)
            self._tell(str(os.getpid()))
            self._watching = True
            await mirror.catch_up()
            while order.forever:
                await mirror.catch_up()
            self._watching = False
            self._tell(LIVED)
            os._exit(0)

    def _count(self) -> None:
        if self._watching:
            self._moments += 1
            if self._moments == self._order.moment:
                os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self, line: str) -> None:
        print(line, file=self._told, flush=True)


if __name__ == "__main__":
    fork_each(lambda order, told: Life(Order(**order), told).run())

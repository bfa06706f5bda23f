"""The process that gets killed: each fork is one life of evoproxy, which tells a FIFO of every await it comes to, and
kills itself at the one that the order names."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TextIO

from pydantic import SecretStr

from service.control import byhand
from service.control.controller import Controller
from service.evolution.client import EvolutionClient
from service.pool.pool import open_pool
from service.settings import Settings
from tests.integration.awaits import Moment, trace
from tests.nursery import LONGEST, fork_each

Act = Literal["serve", "release", "rotate"]
Kill = Literal["suspended", "in flight", "resumed", ""]
"""``suspended``: the await has begun; ``in flight``: its request is out, most likely unanswered; ``resumed``: what it
waited for is there, but was not looked at. ``""``: live on."""

SERVER, INSTANCE = "default", "Padaria São João/1 100%"
LIVED = "lived"
_CONNECTIONS = 8
_IN_FLIGHT = 0.003


@dataclass(frozen=True, slots=True)
class Order:
    """``act`` is what is asked for by hand after the first tick; ``serve`` is only that tick and what follows."""

    fifo: str
    redis_url: str
    pool: str
    server_url: str
    api_key: str
    act: Act
    at: str = ""
    kill: Kill = ""


class Life:
    """One life, from the start to its violent end."""

    def __init__(self, order: Order, told: TextIO) -> None:
        self._order = order
        self._told = told
        self._known: set[str] = set()
        self._watching = False

    async def run(self) -> None:
        """Returns if nothing killed it before everything was done."""
        loop = asyncio.get_running_loop()
        trace(loop, self._watch)
        async with asyncio.timeout(LONGEST):
            await loop.create_task(self._live())

    async def _live(self) -> None:
        order = self._order
        key = SecretStr(order.api_key)
        settings = Settings(evolution_api_base_url=order.server_url, global_api_key=key)
        async with (
            open_pool(order.redis_url, order.pool) as pool,
            EvolutionClient.open(SERVER, order.server_url, key) as client,
        ):
            # All connections now, so that none is begun later by whoever happens to find the others busy.
            await asyncio.gather(*(pool.epoch() for _ in range(_CONNECTIONS)))
            controller = Controller(pool, {SERVER: client}, settings)
            server = controller.server(SERVER)
            if order.act == "serve":
                self._watching = True
                await controller.start()
                await _until(lambda: controller.polls[SERVER].last_success is not None)
            else:
                await controller.configure()
                await server.tick()
                self._watching = True
                by_hand = byhand.release if order.act == "release" else byhand.rotate
                await by_hand(server, INSTANCE, actor="cli:test")
            await _until(lambda: len(server.acts) == 0)
            self._tell(LIVED)
            os._exit(0)

    def _watch(self, at: str, moment: Moment) -> None:
        if not self._watching:
            return
        order = self._order
        if at == order.at and moment == order.kill:
            _die()
        if at not in self._known and moment == "suspended":
            self._known.add(at)
            self._tell(at)
            if at == order.at and order.kill == "in flight":
                asyncio.get_running_loop().call_later(_IN_FLIGHT, _die)

    def _tell(self, line: str) -> None:
        print(line, file=self._told, flush=True)


async def _until(condition: Callable[[], bool]) -> None:
    """Asked from outside: an await of evoproxy's more would be one to kill at."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    fork_each(lambda order, told: Life(Order(**order), told).run())

"""A controller that is never started: what commands ask of servers, beside a service that may be running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from service.control.controller import Controller
from service.control.pacing import TokenBucket
from service.control.planning import foresee
from service.errors import EvolutionError
from service.evolution.client import EvolutionClient
from service.pool.pool import Pool
from service.settings import Settings

_FINISH_WITHIN = 40.0
"""Seconds: one set (30) and its reading back."""


class _NoTurn(TokenBucket):
    """Restarts are left to the service: its pace is per server, and a loop of commands would run past it."""

    def __init__(self) -> None:
        super().__init__(rate=1, burst=1)

    async def take(self, *, urgent: bool = False) -> None:
        await asyncio.Event().wait()


@asynccontextmanager
async def controller(settings: Settings, pool: Pool) -> AsyncIterator[Controller]:
    """Every configured server, under a control that restarts nothing. On leaving, what is being sent may finish."""
    async with AsyncExitStack() as stack:
        clients = {
            server.name: await stack.enter_async_context(
                EvolutionClient.open(server.name, server.base_url, server.api_key)
            )
            for server in settings.servers
        }
        controller = Controller(pool, clients, settings)
        for control in controller.servers.values():
            control.context.restarts = _NoTurn()
        try:
            yield controller
        finally:
            await controller.stop(_FINISH_WITHIN)


async def look(controller: Controller, only: str | None = None) -> EvolutionError | None:
    """Lets the control of each server, or of ``only`` one, know what differs there, and writes nothing. Answers why a
    server could not be read."""
    failed = None
    for name, control in controller.servers.items():
        if only in (None, name):
            try:
                control.drift = (await foresee(control.context)).drift
            except EvolutionError as error:
                failed = error
    return failed
